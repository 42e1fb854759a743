/** Settings changed in a running appliance: over the API, by the command, and by SIGHUP; what fails changes nothing. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../cli/run-for-test.ts";
import { answered } from "../support/appliance-client.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

const PATH = "/api/v1/system/settings";

type Running = { readonly settings: readonly { readonly name: string; readonly value: unknown }[] };

async function runningValue(url: string, name: string): Promise<unknown> {
  const { settings } = (await (await fetch(url + PATH)).json()) as Running;
  return settings.find((each) => each.name === name)!.value;
}

async function patch(url: string, body: unknown) {
  const response = await fetch(url + PATH, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

async function metric(url: string, name: RegExp): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name.source} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

const GROUPS = /engram_wal_group_records_count/;
const RECALLS = /engram_recall_operations_total\{space_class="small",outcome="ok"\}/;

test("a live setting changes every thread, at once and without a restart", async () => {
  using scratch = new ScratchDirectory("live");
  await using appliance = await ApplianceProcess.start({
    data: scratch.data,
    settings: { "thread_pools.api_workers": 2, "numa.enabled": false, "logging.level": "warn" },
  });
  const { url, client } = appliance;
  answered(await client.remember({ content: "the gate is green" }));

  // What an API worker reads, in both of them: a connection each.
  expect(await patch(url, { "monitoring.slow_query_threshold_ms": 0, "index.ef_search": 77 })).toEqual({
    status: 200,
    json: {
      changed: [
        { name: "monitoring.slow_query_threshold_ms", from: 100, to: 0 },
        { name: "index.ef_search", from: 64, to: 77 },
      ],
    },
  });
  const workers = new Set<number>();
  await eventually("both workers have answered with it", async () => {
    for (let i = 0; i < 8; i++) {
      await (
        await fetch(`${url}/api/v1/memories/recall?query=gate`, { headers: { connection: "close" } })
      ).text();
    }
    const found = (await (await fetch(`${url}/api/v1/slow-queries?operation=recall`)).json()) as {
      operations: { worker: number; plan: { ef: number } }[];
    };
    for (const { worker, plan } of found.operations) {
      expect(plan.ef).toBe(77);
      workers.add(worker);
    }
    return workers.size === 2;
  });

  // The home writer hears no messages, and follows all the same: nothing is recorded, then it is again.
  await eventually(
    "the writes and recalls were counted",
    async () => (await metric(url, GROUPS)) > 0 && (await metric(url, RECALLS)) > 0,
  );
  expect((await patch(url, { "monitoring.enabled": false })).status).toBe(200);
  await Bun.sleep(1200);
  const [groups, recalls] = [await metric(url, GROUPS), await metric(url, RECALLS)];
  for (let i = 0; i < 5; i++) {
    answered(await client.remember({ content: `unseen ${i}` }));
    answered(await client.recall({ query: "gate" }));
  }
  await Bun.sleep(1200);
  expect(await metric(url, GROUPS)).toBe(groups);
  expect(await metric(url, RECALLS)).toBe(recalls);
  expect((await patch(url, { "monitoring.enabled": true })).status).toBe(200);
  await eventually("it is counted again", async () => {
    answered(await client.remember({ content: "seen" }));
    answered(await client.recall({ query: "gate" }));
    return (await metric(url, GROUPS)) > groups && (await metric(url, RECALLS)) > recalls;
  });

  // A writer in batch mode answers when the interval is over.
  expect((await patch(url, { "wal.sync_mode": "batch", "wal.flush_interval_ms": 400 })).status).toBe(200);
  answered(await client.remember({ content: "waits" }));
  const startedAt = performance.now();
  answered(await client.remember({ content: "waits as well" }));
  expect(performance.now() - startedAt).toBeGreaterThan(250);

  // Main's own: the log.
  expect(appliance.stderr).not.toContain(" info ");
  expect((await patch(url, { "logging.level": "info" })).status).toBe(200);
  await appliance.says(/info logging\.level is info now, and was warn/);

  // All or none.
  expect(await patch(url, { "index.ef_search": 90, "server.port": 1 })).toMatchObject({
    status: 409,
    json: { code: "setting-not-live" },
  });
  expect(await runningValue(url, "index.ef_search")).toBe(77);
  expect(await appliance.stop()).toBe(0);
}, 90_000);

test("SIGHUP and config set --live change what is live and keep it, and what is wrong changes nothing", async () => {
  using scratch = new ScratchDirectory("reload");
  const file = join(scratch.path, "config.toml");
  writeFileSync(file, "[index]\nef_search = 40 # small\n");
  await using appliance = await ApplianceProcess.start({
    data: scratch.data,
    settings: { "thread_pools.api_workers": 1, "numa.enabled": false },
    environment: { ENGRAM_CONFIG: file },
  });
  const { url } = appliance;
  expect(await runningValue(url, "index.ef_search")).toBe(40);

  writeFileSync(file, "[index]\nef_search = 50\nM = 32\n");
  appliance.signal("SIGHUP");
  await appliance.says(/settings read again; in force now: index\.ef_search; at the next start: index\.M\n/);
  expect(await runningValue(url, "index.ef_search")).toBe(50);
  expect(await runningValue(url, "index.M")).toBe(16);

  writeFileSync(file, "[index]\nef_search = 5\n[recall]\ncandidates = 200\n");
  appliance.signal("SIGHUP");
  await appliance.says(
    /the settings stay as they were\nCannot use these settings:\n {2}index\.ef_search: expected/,
  );
  expect(await runningValue(url, "index.ef_search")).toBe(50);
  expect(await runningValue(url, "recall.candidates")).toBe(100);

  writeFileSync(file, "[index]\nef_search = 50 # kept\n");
  const config = (...words: string[]) => run(["config", ...words, "--config", file, "--url", url]);
  const set = await config("set", "--live", "index.ef_search", "60");
  expect([set.exitCode, set.out]).toEqual([
    0,
    `index.ef_search = 60 in ${file}, in force now, and after a restart\n`,
  ]);
  expect(await runningValue(url, "index.ef_search")).toBe(60);
  expect(await Bun.file(file).text()).toContain("ef_search = 60 # kept");
  const shown = await config("show", "index", "--running");
  expect(shown.out).toMatch(/^index\.ef_search +60 +64 +live$/m);
  expect(shown.out).toMatch(/^index\.M +16 +16 +at a start$/m);

  // Refused by the appliance: the file stays as it was.
  const before = await Bun.file(file).text();
  const refused = await config("set", "--live", "index.M", "32");
  expect([refused.exitCode === 0, refused.err]).toEqual([
    false,
    expect.stringContaining("takes effect when the appliance starts"),
  ]);
  expect(await Bun.file(file).text()).toBe(before);
  // Refused by the file: the appliance gets its old value again.
  const unwritable = join(scratch.path, "missing", "config.toml");
  const failed = await run([
    "config",
    "set",
    "--live",
    "index.ef_search",
    "70",
    "--config",
    unwritable,
    "--url",
    url,
  ]);
  expect(failed.exitCode).not.toBe(0);
  expect(await runningValue(url, "index.ef_search")).toBe(60);
  expect(await appliance.stop()).toBe(0);
}, 90_000);
