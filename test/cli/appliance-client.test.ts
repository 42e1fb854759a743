/** Commands that talk to a running appliance, against a server that answers as the API does. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run-for-test.ts";

const SPACE = {
  name: "notes",
  memories: 3,
  dimensions: 768,
  embedder: "hash/1",
  language: "german",
  tail: 0,
};
const INDEX = {
  space: "default",
  M: 16,
  ef_construction: 128,
  ef_search: 64,
  indexed: 10,
  tail: 0,
  bytes: 5,
};

type Seen = { method: string; path: string; key: string | null; body: unknown };
const seen: Seen[] = [];
let server: ReturnType<typeof Bun.serve>;
let url: string;
let rebuildsLeft = 0;

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const text = await request.text();
      const body = text === "" ? undefined : JSON.parse(text);
      seen.push({
        method: request.method,
        path: pathname + search,
        key: request.headers.get("authorization"),
        body,
      });
      if (pathname === "/api/v1/spaces/secret") return problem(403, "forbidden");
      if (pathname === "/api/v1/spaces/nowhere") return problem(404, "space-not-found");
      if (pathname === "/api/v1/spaces/busy") return problem(503, "not-ready");
      if (pathname === "/api/v1/spaces/proxy") return new Response("<html>", { status: 502 });
      if (pathname === "/api/v1/spaces" && request.method === "GET")
        return Response.json({ spaces: [SPACE] });
      if (pathname.startsWith("/api/v1/spaces")) return Response.json(SPACE, { status: 200 });
      const rebuild = { done: 10 - rebuildsLeft, total: 10, M: 32, ef_construction: 400 };
      return Response.json(rebuildsLeft-- > 0 ? { ...INDEX, rebuild } : INDEX);
    },
  });
  url = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.stop(true));

function problem(status: number, code: string): Response {
  const body = { title: "No", status, code, detail: `refused: ${code}`, remedy: "do something else" };
  return Response.json(body, { status, headers: { "content-type": "application/problem+json" } });
}

describe("space", () => {
  test("space list prints a table, and with --json what the API answered", async () => {
    const { exitCode, out } = await run(["space", "list", "--url", url]);
    expect(exitCode).toBe(0);
    expect(out).toContain("notes  3         768         hash/1    german    0");
    expect(JSON.parse((await run(["space", "list", "--url", url, "--json"])).out)).toEqual({
      spaces: [SPACE],
    });
  });

  test("space create sends what was given and nothing else", async () => {
    await run(["space", "create", "notes", "--dimensions", "8", "--language", "german", "--url", url]);
    expect(seen.at(-1)).toEqual({
      method: "POST",
      path: "/api/v1/spaces",
      key: null,
      body: { name: "notes", dimensions: 8, language: "german" },
    });
    expect((await run(["space", "create", "notes", "--dimensions", "eight", "--url", url])).exitCode).toBe(
      64,
    );
  });

  test("space delete deletes only with --yes", async () => {
    const { exitCode, err } = await run(["space", "delete", "notes", "--url", url]);
    expect(exitCode).toBe(64);
    expect(err).toContain("notes holds 3 memories");
    expect(seen.at(-1)?.method).toBe("GET");
    expect((await run(["space", "delete", "notes", "--yes", "--url", url])).exitCode).toBe(0);
    expect(seen.at(-1)).toMatchObject({ method: "DELETE", path: "/api/v1/spaces/notes" });
  });

  test("space show ends with a status that says why it was refused", async () => {
    const statuses = { nowhere: 66, secret: 77, busy: 75, proxy: 70 };
    for (const [name, status] of Object.entries(statuses)) {
      const { exitCode, err, out } = await run(["space", "show", name, "--url", url]);
      expect({ name, exitCode, out }).toEqual({ name, exitCode: status, out: "" });
      if (name !== "proxy") expect(err).toContain("What helps: do something else");
    }
  });
});

describe("index", () => {
  test("index rebuild sends M and ef_construction, and waits when told to", async () => {
    rebuildsLeft = 2;
    const words = ["index", "rebuild", "--M", "32", "--ef-construction", "400", "--space", "a b", "--wait"];
    const { exitCode, err } = await run([...words, "--url", url]);
    expect(exitCode).toBe(0);
    expect(seen.find(({ path }) => path === "/api/v1/index/rebuild?space=a%20b")?.body).toEqual({
      M: 32,
      ef_construction: 400,
    });
    expect(err).toContain("rebuilding: 8 of 10");
  });
});

describe("callAppliance", () => {
  test("callAppliance sends the key of the file, and never prints it", async () => {
    const keyFile = join(mkdtempSync(join(tmpdir(), "engram-cli-")), "key");
    writeFileSync(keyFile, "eng_id_secret\n");
    const { out, err } = await run(["space", "list", "--url", url, "--key-file", keyFile]);
    expect(seen.at(-1)?.key).toBe("Bearer eng_id_secret");
    expect(out + err).not.toContain("secret");
    expect((await run(["space", "list", "--url", url, "--key-file", "/nonexistent"])).exitCode).toBe(66);
  });

  test("callAppliance takes the address from ENGRAM_URL, or from the settings", async () => {
    expect((await run(["space", "list"], { environment: { ENGRAM_URL: url } })).exitCode).toBe(0);
    const environment = { ENGRAM_SERVER__PORT: `${server.port}` };
    expect((await run(["space", "list"], { environment })).exitCode).toBe(0);
  });

  test("callAppliance answers 69 when nothing listens, and 64 to what is no address", async () => {
    const { exitCode, err } = await run(["space", "list", "--url", "http://127.0.0.1:1"]);
    expect(exitCode).toBe(69);
    expect(err).toContain("Cannot reach the appliance at http://127.0.0.1:1");
    expect((await run(["space", "list", "--url", "nowhere"])).exitCode).toBe(64);
  });
});
