import { describe, expect, test } from "bun:test";
import { SpaceTable } from "../../src/engine/space-table.ts";
import { OPERATION, OUTCOME } from "../../src/layout/metric-codes.ts";
import { PROCESS_FACTS_BYTES } from "../../src/layout/process-facts.ts";
import { QUANTIZATION, SPACE_STATE } from "../../src/layout/space-root.ts";
import { STREAM_FACTS_BYTES } from "../../src/layout/stream-facts.ts";
import { METRIC_NAMES, SPACES_NAMED_MAX } from "../../src/observe/catalogue.ts";
import { expose, formatFor } from "../../src/observe/exposition.ts";
import { protobufExposition } from "../../src/observe/exposition-protobuf.ts";
import { numberText, openMetricsText, prometheusText } from "../../src/observe/exposition-text.ts";
import { type Family, FamilySet } from "../../src/observe/family.ts";
import { MetricLane } from "../../src/observe/lane.ts";
import { addLaneFamilies } from "../../src/observe/lane-families.ts";
import { apiMeter, engineMeter, indexMeter, writerMeter } from "../../src/observe/meters.ts";
import { laneCells, localLaneCells, mapMetricRegion, nodeCells } from "../../src/observe/metric-region.ts";
import { NodeRollup } from "../../src/observe/rollup.ts";
import { LANE_METRICS } from "../../src/observe/series.ts";
import { Snapshots } from "../../src/observe/snapshot.ts";
import { readFamilies } from "./protobuf-reader.ts";

const PROMTOOL = Bun.which("promtool");
const nowMs = () => performance.now();

/** Everything that can be recorded, recorded: all series of all lanes are there. */
function busyLane(): Float64Array {
  const cells = localLaneCells();
  for (const { at, stride, seriesCount, cell } of LANE_METRICS) {
    for (let ordinal = 0; ordinal < seriesCount; ordinal++) {
      const first = at + ordinal * stride;
      if (cell !== "histogram") cells[first] = ordinal + 1;
      else for (let bucket = 0; bucket <= 64; bucket++) cells[first + bucket] = bucket % 3;
    }
  }
  return cells;
}

function familiesOf(cells: Float64Array): Family[] {
  const set = new FamilySet();
  addLaneFamilies(set, [cells], [{ thread: "api-0", cells }]);
  return set.families();
}

function openSpaces(count: number): SpaceTable {
  const table = new SpaceTable(SpaceTable.allocate(Math.max(256, count)));
  for (let index = 0; index < count; index++) {
    const root = table.roots[index]!;
    root.setText("name", `space-${index}`);
    root.publish("dimensions", 768);
    root.publish("quantization", QUANTIZATION.bf16);
    root.publish("liveCount", 10 ** (index % 7));
    root.publish("nodeCount", 10 ** (index % 7));
    root.publish("state", SPACE_STATE.open);
  }
  return table;
}

function wholeSnapshot(spaces: number): Snapshots {
  const region = mapMetricRegion(2, {
    hugePages: "off",
    node: undefined,
    interleaveNodes: undefined,
    lock: false,
  });
  const lanes = [0, 1].map((lane) => laneCells(region, lane));
  const recording = lanes.map((cells) => engineMeter(new MetricLane(cells), nowMs));
  for (const meter of recording) {
    meter.operation(OPERATION.recall, 50, OUTCOME.ok, 1.5);
    meter.operation(OPERATION.remember, 5_000_000, OUTCOME.refused, 0.2);
    meter.stage(OPERATION.recall, 2, 0.3);
    meter.recalled(0, 10);
    meter.searched(1000, 30);
    meter.remembered(3, 1);
  }
  writerMeter(new MetricLane(lanes[0]!)).appended(4096);
  writerMeter(new MetricLane(lanes[0]!)).flushed(0.2, 12);
  indexMeter(new MetricLane(lanes[1]!), nowMs).inserted(9.6, 32);
  apiMeter(new MetricLane(lanes[1]!), nowMs).responded(404);
  new NodeRollup(lanes, nodeCells(region)).roll();
  const facts = new Float64Array(PROCESS_FACTS_BYTES / 8).fill(1);
  return new Snapshots({
    memory: {
      regions: [region],
      lanes: [0, 1].map((lane) => ({ thread: `api-${lane}`, region: 0, lane })),
    },
    table: openSpaces(spaces),
    processFacts: facts,
    streamFacts: [new Float64Array(STREAM_FACTS_BYTES / 8).fill(2)],
    startedAtMs: 1_700_000_000_000,
    tailMax: () => 16_384,
    memoriesMax: 1_000_000,
    version: "0.0.0-test",
  });
}

describe("formatFor", () => {
  test("formatFor takes the format that is liked best, and text where none of ours is", () => {
    const protobuf =
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    expect(formatFor(null)).toBe("text");
    expect(formatFor("*/*")).toBe("text");
    expect(formatFor("image/png")).toBe("text");
    expect(formatFor("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")).toBe("openmetrics");
    expect(formatFor("text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.1")).toBe("text");
    expect(formatFor("application/openmetrics-text;version=9.9.9")).toBe("text");
    expect(formatFor(`${protobuf};q=0.6,application/openmetrics-text;q=0.5,*/*;q=0.2`)).toBe("protobuf");
    expect(formatFor("application/vnd.google.protobuf;proto=other;encoding=delimited")).toBe("text");
    expect(formatFor(`${protobuf};q=0`)).toBe("text");
  });
});

describe("prometheusText", () => {
  test("prometheusText shows buckets that add up, in seconds", () => {
    const cells = localLaneCells();
    const lane = new MetricLane(cells);
    for (const ms of [0, 0.001, 1, 250, 250, 1e9]) writerMeter(lane).flushed(ms, 1);
    const text = prometheusText(familiesOf(cells));
    const lines = text.split("\n").filter((line) => line.startsWith("engram_wal_flush_duration_seconds_"));
    const bucket = (le: string) => lines.find((line) => line.includes(`{le="${le}"}`))?.split(" ")[1];
    expect(bucket("1.52587890625e-05")).toBe("2");
    expect(bucket("0.0009765625")).toBe("2");
    expect(bucket("0.001953125")).toBe("3");
    expect(bucket("0.25")).toBe("5");
    expect(bucket("8")).toBe("5");
    expect(bucket("+Inf")).toBe("6");
    expect(lines).toContain("engram_wal_flush_duration_seconds_count 6");
    expect(lines).toContain("engram_wal_flush_duration_seconds_sum 1000000.501001");
  });

  test("prometheusText leaves out what was not measured, and shows counters from the start", () => {
    const text = prometheusText(familiesOf(localLaneCells()));
    expect(text).not.toContain("engram_cache_bytes");
    expect(text).not.toContain("engram_wal_flush_duration_seconds");
    expect(text).not.toContain("NaN");
    expect(text).toContain('engram_http_responses_total{status="5xx"} 0\n');
  });

  test("numberText writes numbers as Go does", () => {
    expect([2 ** -20, 2 ** -13, 0.5, 4096, 2 ** 80, 0].map(numberText)).toEqual([
      "9.5367431640625e-07",
      "0.0001220703125",
      "0.5",
      "4096",
      "1.2089258196146292e+24",
      "0",
    ]);
  });

  test("the number of series is bounded, whatever spaces are called", () => {
    const few = wholeSnapshot(SPACES_NAMED_MAX).take();
    const many = wholeSnapshot(1000).take();
    const seriesOf = (families: readonly Family[]) =>
      families.reduce((sum, { samples, histograms }) => sum + samples.length + histograms.length, 0);
    expect(seriesOf(many)).toBe(seriesOf(few));
    const all = familiesOf(busyLane());
    expect(seriesOf(all)).toBeLessThan(2500);
  });
});

describe("promtool", () => {
  const check = async (text: string): Promise<string> => {
    const tool = Bun.spawn([PROMTOOL!, "check", "metrics"], {
      stdin: new TextEncoder().encode(text),
      stdout: "pipe",
      stderr: "pipe",
    });
    const said = (await new Response(tool.stdout).text()) + (await new Response(tool.stderr).text());
    return `${await tool.exited}: ${said.trim()}`;
  };

  test.skipIf(PROMTOOL === null)(
    "promtool finds nothing wrong with any metric (skipped without promtool)",
    async () => {
      expect(await check(prometheusText(familiesOf(busyLane())))).toBe("0: ");
      expect(await check(prometheusText(wholeSnapshot(3).take()))).toBe("0: ");
    },
  );
});

describe("openMetricsText", () => {
  test("openMetricsText names counters without their ending, and ends with its mark", () => {
    const text = openMetricsText(familiesOf(busyLane()));
    expect(text).toContain("# TYPE engram_http_responses counter\nengram_http_responses_total{");
    expect(text.endsWith("\n# EOF\n")).toBe(true);
    expect(text).not.toMatch(/# TYPE \w+_total /);
  });
});

describe("protobufExposition", () => {
  test("protobufExposition says what the text says", () => {
    const families = familiesOf(busyLane());
    const read = readFamilies(protobufExposition(families));
    expect(read.map(({ name }) => name)).toEqual(families.map(({ name }) => name));
    for (const [index, family] of families.entries()) {
      const { help, metrics } = read[index]!;
      expect(help).toBe(family.declaration.help);
      expect(metrics.length).toBe(family.samples.length + family.histograms.length);
      for (const [at, { labels, value }] of family.samples.entries()) {
        expect(metrics[at]!.labels).toEqual(labels.pairs.map(([name, text]) => ({ name, value: text })));
        expect(metrics[at]!.value).toBe(value);
      }
    }
  });

  test("protobufExposition carries every bucket of a histogram as a native one", () => {
    const cells = localLaneCells();
    const lane = new MetricLane(cells);
    for (const ms of [0, 0.001, 1, 250, 250, 1e9]) writerMeter(lane).flushed(ms, 1);
    const families = familiesOf(cells).filter(({ name }) => name === "engram_wal_flush_duration_seconds");
    const histogram = readFamilies(protobufExposition(families))[0]!.metrics[0]!.histogram!;
    expect(histogram.count).toBe(6);
    expect(histogram.sum).toBeCloseTo(1_000_000.501001, 6);
    expect(histogram.schema).toBe(0);
    expect(histogram.zeroThreshold).toBe(2 ** -30);
    expect(histogram.zeroCount).toBe(1);
    // 0.001 ms is in (2^-20, 2^-19] s, 1 ms in (2^-10, 2^-9], 250 ms in (2^-3, 2^-2], 1e6 s in (2^19, 2^20].
    expect(histogram.native).toEqual([
      { index: -19, count: 1 },
      { index: -9, count: 1 },
      { index: -2, count: 2 },
      { index: 20, count: 1 },
    ]);
    expect(histogram.classic.at(-1)).toEqual({ bound: 8, count: 5 });
  });
});

test("expose answers 200 spaces in less than 5 ms", () => {
  const snapshots = wholeSnapshot(200);
  const times: number[] = [];
  for (let round = 0; round < 40; round++) {
    const startedAtMs = performance.now();
    const { body } = expose(snapshots.take(), null);
    times.push(performance.now() - startedAtMs);
    expect(body.length).toBeGreaterThan(10_000);
  }
  // The median, because this machine may be busy with other tests.
  expect(times.sort((a, b) => a - b)[20]!).toBeLessThan(5);
});

test("every metric has a help of one sentence, an OTLP name of its own and a name that says its unit", async () => {
  const { CATALOGUE } = await import("../../src/observe/catalogue.ts");
  const otlp = new Set<string>();
  for (const name of METRIC_NAMES) {
    const {
      help,
      kind,
      unit,
      otlp: otlpName,
      source,
      perThread,
    } = CATALOGUE[name] as import("../../src/observe/declaration.ts").Declaration;
    expect(help).toMatch(/^[A-Z0-9].*[^.]$/);
    expect([name, otlpName]).toEqual([name, expect.stringMatching(/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$/)]);
    expect([name, otlp.has(otlpName)]).toEqual([name, false]);
    otlp.add(otlpName);
    expect([name, name.endsWith("_total")]).toEqual([name, kind === "counter"]);
    if (unit === "seconds" || unit === "bytes") expect(name).toMatch(new RegExp(`_${unit}(_total)?$`));
    if (perThread) expect([name, source]).toEqual([name, "lane"]);
  }
});
