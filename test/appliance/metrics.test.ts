/** What the appliance says of itself, held against what was done to it: by its own reader and by a real Prometheus. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

const PROMTOOL = Bun.which("promtool");
const PROMETHEUS = Bun.which("prometheus");
/** What the mind writes by itself would be counted, too. */
const SETTINGS = {
  "thread_pools.api_workers": 2,
  "thread_pools.index_workers": 1,
  "numa.enabled": false,
  "association.enabled": false,
  "forgetting.learn_from_recall": false,
};

async function scrape(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

const STORED = 'engram_store_operations_total{space_class="small",outcome="ok"}';
const RECALLED = 'engram_recall_operations_total{space_class="small",outcome="ok"}';
const REMEMBER = 'operation="remember",space_class="small",outcome="ok"';

test("/metrics counts what was done exactly, and no total falls while it is being done", async () => {
  using scratch = new ScratchDirectory("metrics");
  await using appliance = await ApplianceProcess.start({ data: scratch.data, settings: SETTINGS });
  const { client, url } = appliance;
  const count = 120;
  let busy = true;
  const before = new Map<string, number>();
  const fallen: string[] = [];
  const watching = (async () => {
    while (busy) {
      for (const [series, value] of await scrape(url)) {
        if (!/(_total|_count|_bucket|_sum)[{ ]?/.test(series)) continue;
        // A gauge that is called a count.
        if (series.startsWith("engram_storage_tier_memories_count")) continue;
        if (value < (before.get(series) ?? 0)) fallen.push(series);
        before.set(series, value);
      }
      await Bun.sleep(20);
    }
  })();
  const doing = Array.from({ length: 4 }, async (_, who) => {
    for (let i = who; i < count; i += 4) {
      await client.remember({ content: `the ${i}th wave came in at dusk`, id: `wave-${i}` });
      await client.recall({ query: "wave at dusk", limit: 3 });
    }
  });
  await Promise.all(doing);
  await client.remember({ content: "again", id: "wave-0" });
  let seen = new Map<string, number>();
  await eventually("the collector has summed up", async () => {
    seen = await scrape(url);
    return seen.get(RECALLED) === count && seen.get(STORED) === count;
  });
  busy = false;
  await watching;
  expect(fallen).toEqual([]);
  expect(seen.get(`engram_memory_operation_duration_seconds_count{${REMEMBER}}`)).toBe(count);
  expect(seen.get('engram_memories_remembered_total{outcome="stored"}')).toBe(count);
  expect(seen.get('engram_memories_remembered_total{outcome="refused"}')).toBe(1);
  expect(
    seen.get('engram_operations_total{operation="remember",space_class="small",outcome="refused"}'),
  ).toBe(1);
  expect(seen.get('engram_http_responses_total{status="4xx"}')).toBe(1);
  for (const stage of ["parse", "embed", "vector", "words", "fuse", "fetch", "serialise"]) {
    const series = `engram_operation_stage_duration_seconds_count{operation="recall",stage="${stage}"}`;
    expect([stage, seen.get(series)]).toEqual([stage, count]);
  }
  // One record makes the space, the others are the memories.
  expect(seen.get("engram_wal_appended_records_total")).toBe(count + 1);
  expect(seen.get("engram_wal_group_records_sum")).toBe(count + 1);
  expect(seen.get('engram_space_memories{space="default"}')).toBe(count);
  expect(seen.get('engram_storage_tier_memories_count{tier="hot"}')).toBe(count);
  expect(seen.get("engram_recall_result_size_count")).toBe(count);
  expect(seen.get("process_resident_memory_bytes")!).toBeGreaterThan(10e6);
  expect(seen.get("engram_data_bytes")!).toBeGreaterThan(count * 768 * 4);
}, 60_000);

test.skipIf(PROMTOOL === null)(
  "promtool check metrics finds nothing in what a running appliance says (skipped without promtool)",
  async () => {
    using scratch = new ScratchDirectory("promtool");
    await using appliance = await ApplianceProcess.start({ data: scratch.data, settings: SETTINGS });
    await appliance.client.remember({ content: "a wave" });
    await eventually("the collector has summed up", async () => (await scrape(appliance.url)).has(STORED));
    const text = await (await fetch(`${appliance.url}/metrics`)).bytes();
    const tool = Bun.spawn([PROMTOOL!, "check", "metrics"], { stdin: text, stdout: "pipe", stderr: "pipe" });
    const said = (await new Response(tool.stdout).text()) + (await new Response(tool.stderr).text());
    expect([await tool.exited, said.trim()]).toEqual([0, ""]);
  },
  60_000,
);

test.skipIf(PROMETHEUS === null)(
  "a real Prometheus scrapes the appliance, native histograms included (skipped without prometheus)",
  async () => {
    using scratch = new ScratchDirectory("prometheus");
    await using appliance = await ApplianceProcess.start({
      data: join(scratch.data, "a"),
      settings: SETTINGS,
    });
    const count = 20;
    for (let i = 0; i < count; i++) await appliance.client.remember({ content: `wave ${i}` });
    const config = join(scratch.data, "prometheus.yml");
    const target = new URL(appliance.url).host;
    writeFileSync(
      config,
      `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: engram, static_configs: [{targets: ["${target}"]}]}]
`,
    );
    using free = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    const address = `127.0.0.1:${free.port}`;
    free.stop(true);
    const prometheus = Bun.spawn(
      [
        PROMETHEUS!,
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(scratch.data, "tsdb")}`,
        `--web.listen-address=${address}`,
        "--enable-feature=native-histograms",
        "--log.level=error",
      ],
      { stdout: "ignore", stderr: "ignore" },
    );
    try {
      const query = async (
        text: string,
      ): Promise<{ metric: Record<string, string>; value: [number, string] }[]> => {
        const body = new URLSearchParams({ query: text });
        const reply = await fetch(`http://${address}/api/v1/query`, { method: "POST", body });
        return ((await reply.json()) as { data: { result: [] } }).data.result;
      };
      const nativeCount = `histogram_count(engram_memory_operation_duration_seconds{${REMEMBER}})`;
      await eventually("Prometheus has scraped", async () => {
        const found = await query(nativeCount).catch(() => []);
        return Number(found[0]?.value[1]) === count;
      });
      const [up] = await query("up");
      expect(up!.value[1]).toBe("1");
      const [stored] = await query("engram_store_operations_total");
      expect([stored!.metric["space_class"], stored!.value[1]]).toEqual(["small", String(count)]);
      const [quantile] = await query(
        `histogram_quantile(0.5, engram_memory_operation_duration_seconds{${REMEMBER}})`,
      );
      expect(Number(quantile!.value[1])).toBeGreaterThan(1e-5);
      expect(Number(quantile!.value[1])).toBeLessThan(10);
    } finally {
      prometheus.kill();
      await prometheus.exited;
    }
  },
  60_000,
);
