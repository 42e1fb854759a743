/** The counters of the appliance's own threads, from the kernel through the collector to /metrics. */
import { expect, test } from "bun:test";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

const THREADS = ["api-0", "api-1", "writer-0", "indexer-0", "collector-0", "background-0"];

test("/metrics tells of every thread what the kernel counted, and of each counter whether it could", async () => {
  using scratch = new ScratchDirectory("hardware");
  const settings = { "thread_pools.api_workers": 2, "thread_pools.index_workers": 1, "numa.enabled": false };
  await using appliance = await ApplianceProcess.start({ data: scratch.data, settings });
  let text = "";
  /** Threads by what became of a counter. */
  const states = (counter: string): Map<string, number> =>
    new Map(
      [...text.matchAll(/^engram_hardware_event_threads\{counter="(\w+)",state="(\w+)"\} (\d+)$/gm)]
        .filter(([, name]) => name === counter)
        .map(([, , state, count]) => [state!, Number(count)]),
    );
  // Each thread is in one state.
  await eventually("all threads are counted", async () => {
    text = await (await fetch(`${appliance.url}/metrics`)).text();
    const counts = [...states("cycles").values()];
    return counts.reduce((sum, count) => sum + count, 0) === THREADS.length;
  });
  const isCounted = states("cycles").has("measured");
  expect(/^engram_hardware_events_total\{.*event="cycles"/m.test(text)).toBe(isCounted);
  if (!isCounted) await appliance.says(/info not counted: cycles.*: .+/);
  if (states("task_clock").get("measured") === THREADS.length) {
    for (const thread of THREADS)
      expect(text).toContain(`engram_thread_cpu_seconds_total{thread="${thread}"}`);
  }
}, 60_000);
