import { expect, test } from "bun:test";
import { createKey } from "../../src/storage/key-store.ts";
import {
  ApplianceProcess,
  eventually,
  ScratchDirectory,
  StartRefused,
} from "../support/appliance-process.ts";
import { freePort } from "../support/free-port.ts";

test("monitoring.prometheus_port answers /metrics and the query API as the main port does, and nothing else", async () => {
  using scratch = new ScratchDirectory("prometheus-port");
  const port = freePort();
  const settings = { "monitoring.prometheus_port": port, "thread_pools.api_workers": 2 };
  await using appliance = await ApplianceProcess.start({ data: scratch.data, settings });
  const at = `http://127.0.0.1:${port}`;
  const scraped = await fetch(`${at}/metrics`);
  expect([scraped.status, scraped.headers.get("content-type")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  expect(await scraped.text()).toContain("engram_ready 1\n");
  for (const path of [
    "/api/v1/query?query=1%2B1",
    "/api/v1/query_range?query=1&start=1&end=2&step=1",
    "/api/v1/labels",
    "/api/v1/label/job/values",
    "/api/v1/series?match[]=engram_ready",
    "/api/v1/metadata?metric=engram_ready",
    "/api/v1/status/buildinfo",
  ]) {
    const [here, there] = await Promise.all([fetch(at + path), fetch(appliance.url + path)]);
    expect([path, here.status]).toEqual([path, 200]);
    if (!path.startsWith("/api/v1/query?")) expect(await here.json()).toEqual(await there.json());
  }
  for (const path of [
    "/api/v1/memories",
    "/api/v1/spaces",
    "/api/v1/system/health",
    "/api/v1/docs",
    "/",
    "/x",
  ]) {
    const refused = await fetch(at + path);
    expect([path, refused.status]).toEqual([path, 404]);
    expect(await refused.json()).toMatchObject({ code: "route-not-found", received: path });
  }

  const { key } = await createKey(scratch.data, { name: "p", rights: ["read"], spaces: ["*"] }, Date.now());
  await Bun.sleep(1100);
  expect((await fetch(`${at}/metrics`)).status).toBe(401);
  const withKey = await fetch(`${at}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  expect(withKey.status).toBe(200);
  // Keys that were verified before are a cache, and are counted as one.
  await eventually("the look-ups were counted", async () => {
    const text = await (await fetch(`${at}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text();
    const count = (what: string) =>
      Number(new RegExp(`^engram_cache_${what}_total\\{cache="keys"\\} (\\d+)$`, "m").exec(text)?.[1]);
    return count("requests") > count("hits") && count("hits") > 0;
  });
  expect(await appliance.stop()).toBe(0);
  expect(fetch(`${at}/metrics`)).rejects.toThrow();
}, 60_000);

test("a monitoring.prometheus_port that is taken refuses the start, and names the setting", async () => {
  using scratch = new ScratchDirectory("prometheus-port");
  using other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("other") });
  const settings = { "monitoring.prometheus_port": other.port!, "thread_pools.api_workers": 1 };
  const refused = await ApplianceProcess.start({ data: scratch.data, settings }).catch((error) => error);
  expect(refused).toBeInstanceOf(StartRefused);
  expect(refused.stderr).toContain(`Cannot listen on 127.0.0.1:${other.port}: the port is taken`);
  expect(refused.stderr).toContain("or set monitoring.prometheus_port");
}, 60_000);
