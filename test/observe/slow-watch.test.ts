import { describe, expect, test } from "bun:test";
import { RequestError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import { TraceContexts } from "../../src/base/trace-context.ts";
import { OPERATION, STAGE } from "../../src/layout/metric-codes.ts";
import { STREAM_FACT } from "../../src/layout/stream-facts.ts";
import { MetricLane } from "../../src/observe/lane.ts";
import { localLaneCells } from "../../src/observe/metric-region.ts";
import { counterSeries } from "../../src/observe/series.ts";
import type { SlowOperation } from "../../src/observe/slow-operation.ts";
import { SlowWatch, type SlowWatchParts } from "../../src/observe/slow-watch.ts";
import { ThreadWindows } from "../../src/observe/thread-windows.ts";

const CONTEXT = new TraceContexts(new Random(1), 0).of(
  new Headers({ traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" }),
);
const NO_USAGE = {
  userSeconds: 0,
  systemSeconds: 0,
  minorFaults: 0,
  majorFaults: 0,
  voluntarySwitches: 0,
  involuntarySwitches: 0,
};

function watchUnderTest(different: Partial<SlowWatchParts> = {}) {
  const kept: SlowOperation[] = [];
  const warnings: string[] = [];
  const cells = localLaneCells();
  const time = { nowMs: 0 };
  const watch = new SlowWatch({
    worker: 3,
    thresholdMs: 50,
    keepsQueries: () => false,
    lane: new MetricLane(cells),
    nowMs: () => time.nowMs,
    clock: { nowNs: () => time.nowMs * 1e6, wallMs: () => 1_700_000_000_000 + time.nowMs },
    file: () => ({ append: (operation) => kept.push(operation) > 0 }),
    warn: (text) => warnings.push(text),
    windows: new ThreadWindows(() => NO_USAGE),
    streamFacts: [new Float64Array(32), new Float64Array(32)],
    embedder: { id: "hash/1", isLocal: true, cache: () => undefined },
    node: undefined,
    usual: () => ({ ns_per_distance: 1500 }),
    ...different,
  });
  const dropped = () => cells[counterSeries("engram_slow_operations_dropped_total", {})];
  const counted = (operation: "recall" | "get" | "forget") =>
    cells[counterSeries("engram_slow_operations_total", { operation })];
  return { watch, kept, warnings, dropped, counted, time };
}

describe("SlowWatch", () => {
  test("SlowWatch keeps what took the threshold or longer, and nothing else", () => {
    const { watch, kept, counted } = watchUnderTest();
    for (const tookMs of [0, 49.9, 50, 120]) {
      watch.end(watch.begin(OPERATION.recall, "default", 1000), 1000 + tookMs);
    }
    expect(kept.map(({ took_ms }) => took_ms)).toEqual([50, 120]);
    expect(counted("recall")).toBe(2);
    watch.thresholdMs = 10;
    watch.end(watch.begin(OPERATION.recall, "default", 1000), 1011);
    expect(kept.length).toBe(3);
  });

  test("SlowWatch says where the time of a recall went, by shape and never by words", () => {
    const { watch, kept } = watchUnderTest({ node: 1 });
    const trace = watch.begin(OPERATION.recall, "notes", 1000, CONTEXT);
    trace.query = {
      query: "the secret",
      limit: 7,
      mode: "hybrid",
      tags: ["a", "b"],
      fromMs: 1,
      ef: 900,
      threshold: 0.2,
    };
    trace.mode = 0;
    trace.ef = 900;
    trace.searchPlan = 1;
    trace.distancesInGraph = 4000;
    trace.node = 0;
    trace.stage(STAGE.vector, 60, 0);
    trace.stage(STAGE.embed, 10, 0);
    watch.end(trace, 1100);
    expect(kept).toMatchObject([
      {
        ended_at: "2023-11-14T22:13:20.000Z",
        took_ms: 100,
        operation: "recall",
        space: "notes",
        outcome: "ok",
        worker: 3,
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        stages_ms: { vector: 60, embed: 10 },
        waits_ms: { elsewhere: 30 },
        plan: {
          mode: "hybrid",
          limit: 7,
          ef_asked: 900,
          ef: 900,
          search: "graph",
          filters: { tags: 2, time: true, score: true },
        },
        counts: { distances_in_graph: 4000 },
        nodes: { worker: 1, space: 0 },
        usual: { ns_per_distance: 1500 },
      },
    ]);
    expect(JSON.stringify(kept)).not.toContain("secret");
    expect(JSON.stringify(kept)).not.toContain('"a"');
    // The trace is used again, and remembers nothing of it.
    watch.end(watch.begin(OPERATION.recall, "notes", 2000), 2100);
    expect(kept[1]).toMatchObject({ stages_ms: {}, plan: {}, waits_ms: { elsewhere: 100 } });
  });

  test("SlowWatch keeps the text of a recall where it is told to", () => {
    const { watch, kept } = watchUnderTest({ keepsQueries: () => true });
    const trace = watch.begin(OPERATION.recall, "notes", 0);
    trace.query = { query: "where is the key", limit: 7, mode: "words" };
    watch.end(trace, 60);
    expect(kept[0]!.query).toBe("where is the key");
  });

  test("SlowWatch tells of a write how long the log was synced meanwhile", () => {
    const streamFacts = [new Float64Array(32), new Float64Array(32)];
    const { watch, kept } = watchUnderTest({ streamFacts });
    streamFacts[1]![STREAM_FACT.syncMs] = 1000;
    const trace = watch.begin(OPERATION.remember, "notes", 0);
    trace.ack = "fsync";
    trace.memories = 5;
    trace.writer = 1;
    trace.tailWaitMs = 20;
    trace.stage(STAGE.log, 70, 0);
    streamFacts[1]![STREAM_FACT.syncMs] = 1064;
    streamFacts[1]![STREAM_FACT.groupCount] = 2;
    streamFacts[1]![STREAM_FACT.groupRecords] = 30;
    watch.end(trace, 95);
    expect(kept[0]).toMatchObject({
      plan: { ack: "fsync", memories: 5 },
      waits_ms: { sync: 64, tail: 20, elsewhere: 5 },
      counts: { syncs: 2, synced_records: 30 },
    });
  });

  test("SlowWatch tells of the thread how late its loop ran and what the kernel counted", () => {
    const usage = { ...NO_USAGE };
    const windows = new ThreadWindows(() => ({ ...usage }));
    const { watch, kept } = watchUnderTest({ windows });
    windows.tick(900, 70, 1000);
    windows.tick(1000, 0, 1100);
    usage.minorFaults = 5;
    windows.tick(1100, 2, 1200);
    const trace = watch.begin(OPERATION.recall, "notes", 1110);
    usage.minorFaults = 25;
    usage.majorFaults = 3;
    usage.involuntarySwitches = 7;
    windows.tick(1260, 60, 1360);
    watch.end(trace, 1300);
    expect(kept[0]!.thread).toEqual({
      window_ms: 200,
      loop_delay_ms: 60,
      minor_faults: 20,
      major_faults: 3,
      voluntary_switches: 0,
      involuntary_switches: 7,
    });
    // A tick that is due and could not run yet counts, too.
    watch.end(watch.begin(OPERATION.recall, "notes", 1300), 1450);
    expect(kept[1]!.thread!.loop_delay_ms).toBe(90);
  });

  test("SlowWatch tells how an operation ended that threw, traced or not", () => {
    const { watch, kept, counted } = watchUnderTest();
    const error = new RequestError({ code: "embedder-unavailable", message: "it does not answer" });
    watch.end(watch.begin(OPERATION.recall, "a", 0), 80, error);
    watch.untraced(OPERATION.get, "b", 70, new TypeError("a defect"));
    expect(kept).toMatchObject([
      { operation: "recall", outcome: "unavailable", error: "embedder-unavailable" },
      { operation: "get", space: "b", took_ms: 70, outcome: "failed", error: "internal", stages_ms: {} },
    ]);
    expect([counted("recall"), counted("get")]).toEqual([1, 1]);
  });

  test("SlowWatch keeps a hundred a second and counts the others", () => {
    const { watch, kept, dropped, counted } = watchUnderTest();
    for (let i = 0; i < 250; i++) watch.end(watch.begin(OPERATION.forget, "a", 0), 60);
    expect([kept.length, dropped(), counted("forget")]).toEqual([100, 150, 250]);
    watch.end(watch.begin(OPERATION.forget, "a", 1100), 1200);
    expect(kept.length).toBe(101);
  });

  test("SlowWatch lets no operation fail because its record can not be kept, and says so once", () => {
    const file = {
      append: () => {
        throw new Error("ENOSPC");
      },
    };
    const { watch, warnings, dropped } = watchUnderTest({ file: () => file });
    for (let i = 0; i < 3; i++) watch.end(watch.begin(OPERATION.recall, "a", 0), 60);
    expect(warnings).toEqual(["Cannot keep slow operations: ENOSPC"]);
    expect(dropped()).toBe(3);
  });
});
