/** Who is let in: with and without keys, by right and by space, before a body is read. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { LoginThrottle, networkOf } from "../../src/api/login-throttle.ts";
import { checkListening } from "../../src/api/serve.ts";
import { createKey, keysPath, type NewKey, revokeKey } from "../../src/storage/key-store.ts";
import { ApiUnderTest } from "./api-under-test.ts";

// Nothing here waits for time; a busy machine is only slow.
setDefaultTimeout(60_000);

let api: ApiUnderTest;
beforeEach(() => {
  api = new ApiUnderTest();
});
afterEach(() => api.close());

const OPEN_CALLS = new Set([
  ...["GET /", "GET /livez", "GET /readyz", "GET /api/v1/docs", "GET /api/v1/docs/json"],
  ...["GET /api/v1/docs/swagger-ui.css", "GET /api/v1/docs/swagger-ui.js"],
]);

async function makeKey(wanted: Partial<NewKey> = {}): Promise<Record<string, string>> {
  const { key } = await createKey(
    api.dataDir,
    { name: "test", rights: ["read", "write", "admin"], spaces: ["*"], ...wanted },
    Date.now(),
  );
  api.passASecond();
  return { authorization: `Bearer ${key}` };
}

test("without any key, programs on this machine are let in", async () => {
  expect((await api.remember({ content: "x" })).status).toBe(201);
  for (const host of ["localhost", "127.0.0.1:7432", "[::1]:7432", "LOCALHOST:1"]) {
    expect((await api.get("/api/v1/spaces", { host })).status).toBe(200);
  }
});

test("without any key, requests under another name and from web pages are refused", async () => {
  for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7432", "10.0.0.1"]) {
    expect((await api.get("/api/v1/spaces", { host })).json.code).toBe("host-refused");
  }
  const fromPages: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `https://127.0.0.1:${api.server.port}` },
    { origin: "http://127.0.0.1:1" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ];
  for (const headers of fromPages) {
    const refused = await api.remember({ content: "x" }, headers);
    expect([refused.status, refused.json.code]).toEqual([403, "origin-refused"]);
  }
  const ownPage = { origin: api.url, "sec-fetch-site": "same-origin" };
  expect((await api.remember({ content: "x" }, ownPage)).status).toBe(201);
});

test("from the first key on, every call but the open ones needs a key", async () => {
  await makeKey();
  for (const call of api.calls) {
    const [method = "", path = ""] = call.split(" ");
    const reply = await api.call(
      method,
      path.replace(/:\w+/, "x"),
      method === "POST" ? "not even JSON" : undefined,
    );
    expect([call, reply.status]).toEqual([call, OPEN_CALLS.has(call) ? 200 : 401]);
    if (reply.status !== 401) continue;
    expect(reply.json.code).toBe("key-missing");
    expect(reply.headers.get("www-authenticate")).toContain("Bearer");
  }
});

test("a key is taken from Authorization and from X-API-Key", async () => {
  const { authorization = "" } = await makeKey();
  expect((await api.get("/api/v1/spaces", { authorization })).status).toBe(200);
  const key = authorization.slice("Bearer ".length);
  expect((await api.get("/api/v1/spaces", { authorization: `bearer   ${key}` })).status).toBe(200);
  expect((await api.get("/api/v1/spaces", { "x-api-key": key })).status).toBe(200);
  // With keys, a page of another origin that holds one is as good as any caller.
  expect((await api.get("/api/v1/spaces", { authorization, origin: "https://app.example" })).status).toBe(
    200,
  );
});

test("a wrong key is refused and held back, whatever is wrong with it", async () => {
  const { authorization = "" } = await makeKey();
  const id = authorization.slice(11, 23);
  for (const wrong of [
    "nonsense",
    `eng_${"A".repeat(12)}_${"b".repeat(43)}`,
    `eng_${id}_${"b".repeat(43)}`,
    authorization,
  ]) {
    const reply = await api.get("/api/v1/spaces", {
      authorization: wrong === authorization ? `Basic ${wrong}` : `Bearer ${wrong}`,
    });
    expect([reply.status, reply.json.code]).toEqual([401, "key-invalid"]);
  }
  expect(api.sleeps).toEqual([250, 250, 250, 250]);
});

test("a key does what its rights say, and no more", async () => {
  await makeKey();
  const read = await makeKey({ rights: ["read"] });
  const write = await makeKey({ rights: ["write"] });
  const admin = await makeKey({ rights: ["admin"] });
  const statuses = async (key: Record<string, string>) => [
    (await api.remember({ content: "x" }, key)).status,
    (await api.post("/api/v1/memories/recall", { query: "x" }, key)).status,
    (await api.post("/api/v1/spaces", { name: "x" }, key)).status,
    (await api.call("DELETE", "/api/v1/memories/none", undefined, key)).status,
  ];
  expect(await statuses(write)).toEqual([201, 403, 403, 404]);
  expect(await statuses(read)).toEqual([403, 200, 403, 403]);
  expect(await statuses(admin)).toEqual([403, 403, 201, 403]);
});

test("calls on the mind ask for the right to read or to write, and for the space", async () => {
  const all = await makeKey();
  const ids = ["a", "b"];
  for (const id of ids) await api.remember({ id, content: id }, all);
  const statuses = async (key: Record<string, string>) => [
    (await api.post("/api/v1/episodes/remember", { what: "x" }, key)).status,
    (await api.post("/api/v1/links", { source: "a", destination: "b", strength: 0.5 }, key)).status,
    (await api.post("/api/v1/memories/a/reinforce", "", key)).status,
    (await api.get("/api/v1/episodes/replay", key)).status,
    (await api.get("/api/v1/links?id=a", key)).status,
    (await api.call("DELETE", "/api/v1/links?source=a&destination=b", undefined, key)).status,
  ];
  expect(await statuses(await makeKey({ rights: ["write"] }))).toEqual([201, 201, 200, 403, 403, 200]);
  expect(await statuses(await makeKey({ rights: ["read"] }))).toEqual([403, 403, 403, 200, 200, 403]);
  expect(await statuses(await makeKey({ rights: ["admin"] }))).toEqual([403, 403, 403, 403, 403, 403]);
  expect(await statuses(await makeKey({ spaces: ["other"] }))).toEqual([403, 403, 403, 403, 403, 403]);
});

test("a key opens its spaces, by header, by path, by query and in the list", async () => {
  const all = await makeKey();
  await api.remember({ content: "x" }, { ...all, "X-Memory-Space": "mine" });
  await api.remember({ content: "x" }, { ...all, "X-Memory-Space": "yours" });
  const mine = await makeKey({ spaces: ["mine"] });
  expect((await api.remember({ content: "x" }, { ...mine, "X-Memory-Space": "mine" })).status).toBe(201);
  for (const refused of [
    await api.remember({ content: "x" }, { ...mine, "X-Memory-Space": "yours" }),
    await api.remember({ content: "x" }, mine),
    await api.get("/api/v1/spaces/yours", mine),
    await api.call("DELETE", "/api/v1/spaces/yours", undefined, mine),
    await api.post("/api/v1/spaces", { name: "new" }, mine),
    await api.get("/api/v1/index?space=yours", mine),
  ]) {
    expect([refused.status, refused.json.code]).toEqual([403, "space-forbidden"]);
  }
  const listed = (await api.get("/api/v1/spaces", mine)).json.spaces.map(
    ({ name }: { name: string }) => name,
  );
  expect(listed).toEqual(["mine"]);
});

test("a key that is revoked or expires is refused within a second, though it was verified before", async () => {
  const keeper = await makeKey();
  const lent = await makeKey({ name: "lent" });
  const short = await makeKey({ name: "short", expiresAtMs: Date.now() + api.aheadMs + 60_000 });
  for (const key of [keeper, lent, short]) expect((await api.get("/api/v1/spaces", key)).status).toBe(200);
  revokeKey(api.dataDir, "lent", Date.now());
  api.passASecond();
  expect((await api.get("/api/v1/spaces", lent)).json.code).toBe("key-invalid");
  api.aheadMs += 61_000;
  expect((await api.get("/api/v1/spaces", short)).json.code).toBe("key-invalid");
  expect((await api.get("/api/v1/spaces", keeper)).status).toBe(200);
});

test("where keys are required, new ones and revoked ones are noticed within a second, too", async () => {
  await api.close();
  api = new ApiUnderTest({
    settings: (standard) => ({ ...standard, access: { ...standard.access, requireKeys: true } }),
  });
  const lent = await makeKey({ name: "lent" });
  expect((await api.get("/api/v1/spaces", lent)).status).toBe(200);
  revokeKey(api.dataDir, "lent", Date.now());
  api.passASecond();
  expect((await api.get("/api/v1/spaces", lent)).json.code).toBe("key-invalid");
});

test("a key file that vanishes or is damaged does not open the API", async () => {
  const key = await makeKey();
  expect((await api.get("/api/v1/spaces", key)).status).toBe(200);
  rmSync(keysPath(api.dataDir));
  api.passASecond();
  expect((await api.get("/api/v1/spaces")).status).toBe(401);
  expect((await api.get("/api/v1/spaces", key)).status).toBe(200);
  writeFileSync(keysPath(api.dataDir), "{}");
  api.passASecond();
  expect((await api.get("/api/v1/spaces")).status).toBe(401);
  expect(api.operatorErrors.map(({ code }) => code)).toEqual(["keys-damaged", "keys-damaged"]);
});

test("too many wrong keys are answered 429 with Retry-After, and those who are in stay in", async () => {
  const known = await makeKey();
  expect((await api.get("/api/v1/spaces", known)).status).toBe(200);
  const statuses: number[] = [];
  for (let i = 0; i < 12; i++) {
    statuses.push((await api.get("/api/v1/spaces", { authorization: "Bearer wrong" })).status);
  }
  expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
  const throttled = await api.get("/api/v1/spaces", { "x-api-key": "wrong" });
  expect(throttled.json.code).toBe("login-throttled");
  expect(Number(throttled.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await api.get("/api/v1/spaces", known)).status).toBe(200);
  api.aheadMs += 6_000;
  expect((await api.get("/api/v1/spaces", { authorization: "Bearer wrong" })).status).toBe(401);
});

test("many first uses of one key at once are hashed once and all let in", async () => {
  const key = await makeKey();
  const replies = await Promise.all(Array.from({ length: 8 }, () => api.get("/api/v1/spaces", key)));
  expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200));
});

test("access.require_keys refuses everyone until there is a key", async () => {
  const strict = new ApiUnderTest({
    settings: (standard) => ({ ...standard, access: { ...standard.access, requireKeys: true } }),
  });
  try {
    expect((await strict.get("/api/v1/spaces")).json.code).toBe("key-missing");
    expect((await strict.get("/livez")).status).toBe(200);
  } finally {
    await strict.close();
  }
});

test("checkListening refuses other addresses than loopback without keys, unless it is forced", () => {
  const access = {
    requireKeys: false,
    allowUnauthenticatedRemote: false,
    failedLoginBurst: 1,
    failedLoginDelayMs: 0,
  };
  for (const host of ["127.0.0.1", "localhost", "::1", "[::1]", "127.3.2.1"])
    checkListening(host, access, false);
  for (const host of [
    "0.0.0.0",
    "::",
    "10.0.0.5",
    "localhost.example",
    "127.0.0.1.example",
    "::ffff:10.0.0.1",
  ]) {
    expect(() => checkListening(host, access, false)).toThrow(/no API key/);
    checkListening(host, access, true);
    checkListening(host, { ...access, allowUnauthenticatedRemote: true }, false);
    checkListening(host, { ...access, requireKeys: true }, false);
  }
});

test("LoginThrottle remembers a bounded number of addresses, and all of them together are bounded", () => {
  const throttle = new LoginThrottle({ nowNs: () => 0, wallMs: () => 0 }, 10);
  let taken = 0;
  for (let i = 0; i < 10_000; i++) {
    try {
      throttle.take(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
      taken++;
    } catch {
      // counted by what is missing
    }
  }
  expect(taken).toBe(160);
  expect(throttle.addressCount).toBeLessThanOrEqual(4096);
});

test("networkOf takes a /64 for one address, and IPv4 written as IPv6 for IPv4", () => {
  expect(networkOf("2001:db8:1:2:3:4:5:6")).toBe(networkOf("2001:db8:1:2::1"));
  expect(networkOf("2001:db8:1:2::1")).not.toBe(networkOf("2001:db8:1:3::1"));
  expect(networkOf("::ffff:10.0.0.1")).toBe("10.0.0.1");
  expect(networkOf("::1")).toBe("0:0:0:0::/64");
  expect(networkOf("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
});
