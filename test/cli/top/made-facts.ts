/** Facts of an appliance at work, as a test wants them. */
import { byQuery, type Sample, type TopFacts } from "../../../src/cli/top/facts.ts";
import type { QueryName } from "../../../src/cli/top/queries.ts";

const MINUTE_MS = 60_000;
export const AT_MS = Date.UTC(2026, 0, 31, 12, 0, 5);

/** Nothing has been counted yet. */
export function emptyFacts(over: Partial<TopFacts> = {}): TopFacts {
  return {
    atMs: AT_MS,
    url: "http://127.0.0.1:7432",
    version: "0.1.0",
    status: "ok",
    uptimeSeconds: 3,
    unwell: [],
    samples: samples({}),
    alerts: [],
    rules: { all: 16, unavailable: 16 },
    ...over,
  };
}

/** Two nodes, ten threads, one alert of each kind. */
export function busyFacts(over: Partial<TopFacts> = {}): TopFacts {
  const threads = ["api-0", "api-1", "api-2", "api-3", "api-10", "writer-0", "writer-1", "indexer-0"];
  return emptyFacts({
    status: "degraded",
    uptimeSeconds: 93_784,
    unwell: [{ name: "embedding", status: "degraded", reason: "the server answers slowly" }],
    rules: { all: 16, unavailable: 3 },
    alerts: [
      {
        name: "EngramWalFlushSlow",
        severity: "warning",
        state: "firing",
        summary: "Syncs of the log take long",
        sinceMs: AT_MS - 5 * MINUTE_MS,
        isSilenced: false,
      },
      {
        name: "EngramRecallSlow",
        severity: "critical",
        state: "firing",
        summary: "Recalls take long",
        sinceMs: AT_MS - MINUTE_MS,
        isSilenced: false,
      },
      {
        name: "EngramTailFull",
        severity: "warning",
        state: "pending",
        summary: "Writers wait for the index",
        sinceMs: AT_MS - 1000,
        isSilenced: false,
      },
    ],
    samples: samples({
      rate: by("operation", { recall: 1234.5, remember: 310, get: 12, link: 0.5, list: 3 }),
      p50: by("operation", { recall: 0.0012, remember: 0.004, get: 0.000_02, link: 0.001, list: 0.01 }),
      p99: by("operation", { recall: 0.0481, remember: 0.21, get: 0.0001, link: Number.NaN, list: 1.25 }),
      failed: by("operation", { remember: 0.25 }),
      sync: one(0.0057),
      insertion: one(0.0031),
      loopDelay: by("thread", { "api-0": 0.002, "api-1": 0.004, "api-10": 0.098, "indexer-0": 0.01 }),
      threadCpu: by("thread", Object.fromEntries(threads.map((thread, i) => [thread, 97.3 / (i + 1)]))),
      ipc: by("thread", { "api-0": 1.42, "api-1": 1.39 }),
      cores: one(5.21),
      queue: one(7),
      memories: one(1_204_500),
      spaces: one(42),
      resident: one(12.3 * 2 ** 30),
      nodeUsed: by("node", { 0: 90 * 2 ** 30, 1: 20 * 2 ** 30 }),
      nodeFree: by("node", { 0: 6 * 2 ** 30, 1: 108 * 2 ** 30 }),
      nodeOurs: by("node", { 0: 10 * 2 ** 30 }),
      nodeLocal: by("node", { 0: 43_100, 1: 900 }),
      nodeRemote: by("node", { 0: 12, 1: 43_000 }),
      parts: by("part", { headers: 2 ** 27, vectors: 3 * 2 ** 30, quantised: 2 ** 30, contents: 2 ** 31 }),
      graphs: one(98 * 2 ** 20),
      heap: one(2 ** 28),
      stored: one(4.5 * 2 ** 30),
      diskFree: one(73.4 * 2 ** 30),
      tail: one(812),
      tailLongest: one(700),
      tailCapacity: one(8192),
      caches: by("cache", { embedding: 93.2, keys: 100 }),
      balance: by("system", { fast: 61.5, slow: 38.5 }),
      phases: by("phase", { recent: 200_000, consolidating: 4500, remote: 1_000_000 }),
      velocity: by("phase", { consolidating: 1.5, remote: 0.25 }),
      concepts: one(8450),
      bindings: by("kind", { temporal: 2_400_000, similar: 1_900_000, entity: 30_000, link: 0 }),
      falseMemories: one(12.5),
    }),
    ...over,
  });
}

function samples(some: Partial<Record<QueryName, readonly Sample[]>>): TopFacts["samples"] {
  return byQuery((name) => some[name] ?? []);
}

function one(value: number): Sample[] {
  return [{ labels: {}, value }];
}

function by(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([each, value]) => ({ labels: { [label]: each }, value }));
}
