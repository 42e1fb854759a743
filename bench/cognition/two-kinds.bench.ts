/**
 * What does a recall cost that answers concepts beside memories, against one that answers memories alone?
 *
 * Expected: the search hands out the concepts it met anyway; reading three concepts and the ids of three members of
 * each is 12 short records, 1-2 µs each, the members of ten answered memories another 3 µs, and their JSON 2 µs:
 * 20 µs of a recall that takes 400 and more of server time. Under 5 %.
 *
 * One space, asked over HTTP in turns with `concepts: 3` and `concepts: 0`. What counts is the processor time of the API
 * workers, which a busy machine does not stretch; times as the engine saw them stand beside it.
 *
 *   bun bench/cognition/two-kinds.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE]
 */
import { quantile } from "../../src/operate/load/http-load.ts";
import { Appliance, applianceCommand, benchDirectory } from "../support/appliance.ts";
import { clustered, row } from "../support/clustered.ts";
import { benchArguments, median, Report } from "../support/report.ts";

const DIMENSIONS = 768;
const SPACE = "kinds";
const HEADERS = { "content-type": "application/json", "x-memory-space": SPACE };
const WORDS = [
  "river",
  "music",
  "garden",
  "letter",
  "winter",
  "market",
  "bridge",
  "kitchen",
  "morning",
  "story",
];

const given = benchArguments();
const { isSmall, seed } = given;
const count = isSmall ? 600 : 20_000;
const groups = isSmall ? 20 : 1000;
const blocks = isSmall ? 4 : 40;
const perBlock = isSmall ? 20 : 250;
const { command, text } = applianceCommand(given.binary);
const report = new Report({
  name: "two-kinds",
  arguments: given,
  server: text,
  parameters: {
    memories: count,
    groups,
    dimensions: DIMENSIONS,
    blocks,
    recalls: blocks * perBlock,
    limit: 10,
  },
});
const data = clustered({
  seed,
  dimensions: DIMENSIONS,
  count,
  queries: perBlock,
  centres: groups,
  sigma: 0.6,
});
const directory = benchDirectory();
const appliance = await Appliance.start({
  directory: directory.path,
  command,
  settings: {
    "consolidation.enabled": "false",
    "association.enabled": "false",
    "thread_pools.api_workers": "1",
  },
});

async function call(method: string, path: string, body?: string): Promise<Record<string, unknown>> {
  const response = await fetch(appliance.url + path, { method, headers: HEADERS, ...(body && { body }) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

const base64 = (vector: Float32Array): string =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");

await call(
  "POST",
  "/api/v1/spaces",
  JSON.stringify({ name: SPACE, dimensions: DIMENSIONS, embedder: "none" }),
);
for (let from = 0; from < count; from += 200) {
  const memories = Array.from({ length: Math.min(200, count - from) }, (_, i) => ({
    id: `m${from + i}`,
    content: `${WORDS[(from + i) % 10]} and ${WORDS[(from + i) % 7]} on day ${from + i}`,
    embedding: base64(row(data.vectors, from + i, DIMENSIONS)),
  }));
  await call("POST", "/api/v1/memories/remember/batch", JSON.stringify({ memories, ack: "memory" }));
}
for (let left = 1; left > 0; ) {
  const run = await call(
    "POST",
    "/api/v1/consolidate",
    JSON.stringify({ wait_ms: 30_000, max_cycles: 1024 }),
  );
  left = run["state"] === "done" ? (run["unconsolidated"] as number) : 1;
}
// Small spaces have no graph, and stay in the tail.
for (let tail = 1024; tail >= 1024; await Bun.sleep(100))
  tail = (await call("GET", `/api/v1/spaces/${SPACE}`))["tail"] as number;
const { concepts } = await call("GET", `/api/v1/spaces/${SPACE}`);
report.line("space", `${count} memories and ${concepts} concepts`);
report.figure("concepts", concepts as number);

const bodies = [0, 3].map((wanted) =>
  Array.from({ length: perBlock }, (_, i) =>
    JSON.stringify({
      query: `${WORDS[i % 10]} ${WORDS[i % 9]}`,
      embedding: base64(row(data.queries, i, DIMENSIONS)),
      limit: 10,
      concepts: wanted,
    }),
  ),
);
const cpuUs: [number[], number[]] = [[], []];
const tookMs: [number[], number[]] = [[], []];
let answered = 0;
for (let block = -1; block < blocks; block++) {
  for (const side of block % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
    const before = appliance.cpu().byRole["api"] ?? 0;
    for (const body of bodies[side]!) {
      const reply = await call("POST", "/api/v1/memories/recall", body);
      if (block >= 0) tookMs[side].push(reply["took_ms"] as number);
      if (side === 1) answered += ((reply["concepts"] ?? []) as unknown[]).length;
    }
    if (block >= 0) cpuUs[side].push((((appliance.cpu().byRole["api"] ?? 0) - before) / perBlock) * 1e6);
  }
}
const [one, both] = cpuUs.map(median) as [number, number];
report.line(
  "one kind",
  `${one.toFixed(1)} us of API worker a recall; engine ${report.percentiles("one kind", Float64Array.from(tookMs[0]))}`,
);
report.line(
  "both kinds",
  `${both.toFixed(1)} us of API worker a recall; engine ${report.percentiles("both kinds", Float64Array.from(tookMs[1]))}`,
);
report.line("answered", `${(answered / ((blocks + 1) * perBlock)).toFixed(2)} concepts a recall`);
report.figure("one kind, us", one);
report.figure("both kinds, us", both);
report.figure(
  "engine ratio, median",
  quantile(Float64Array.from(tookMs[1]), 0.5) / quantile(Float64Array.from(tookMs[0]), 0.5),
);
report.target({
  name: "recall with two kinds of memory against one kind",
  figure: (both / one - 1) * 100,
  unit: "% slower",
  atMost: 5,
});
await appliance.stop();
directory.remove();
report.finish();
