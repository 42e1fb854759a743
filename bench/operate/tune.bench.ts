/**
 * Does `engram-appliance tune` correct what was set wrong, and leave alone what was not?
 *
 * Each appliance is set wrong in one way, does some seconds of work that shows it, and is tuned: the command measures
 * before and after in one run, with open loops of the same rate. Expected: P99 better by more than 20 % for each; where
 * a search was set so narrow that it misses, recall@10 against exact search better instead, since that costs time. A
 * good configuration gets an empty plan: nothing is measured, nothing changed.
 *
 *   bun bench/operate/tune.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE] [--only TEXT]
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../src/cli/run-command.ts";
import { LoadGenerator } from "../../src/operate/bench/generator.ts";
import { ZipfText } from "../../src/operate/load/zipf-text.ts";
import { applianceCommand, benchDirectory } from "../support/appliance.ts";
import { LoopedAppliance } from "../support/looped-appliance.ts";
import { store, untilIndexed } from "../support/memory-requests.ts";
import { benchArguments, Report } from "../support/report.ts";

type Misset = {
  readonly name: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** of the work that shows it */
  readonly recallShare: number;
  readonly gains: "p99" | "recall" | "nothing";
  readonly hasEmbeddingServer?: boolean;
};

type Tuned = {
  readonly plan: readonly { readonly path: string; readonly from: unknown; readonly to: unknown }[];
  readonly verdict?: { readonly isKept: boolean; readonly reason: string } | null;
  readonly before?: Readonly<Record<string, number>> | null;
  readonly after?: Readonly<Record<string, number>> | null;
};

const DIMENSIONS = 64;
const EMBED_MS = 15;
const P99 = "latency/p99_ms";
const RECALL = "recall@10";

const CASES: readonly Misset[] = [
  { name: "good", settings: {}, recallShare: 0.7, gains: "nothing" },
  { name: "ef_search 4096", settings: { "index.ef_search": 4096 }, recallShare: 0.95, gains: "p99" },
  { name: "ef_search 8", settings: { "index.ef_search": 8 }, recallShare: 0.95, gains: "recall" },
  // Where there is a graph its ef bounds the candidates: many of them cost only where both are high.
  {
    name: "candidates 10000, ef_search 2048",
    settings: { "recall.candidates": 10_000, "index.ef_search": 2048 },
    recallShare: 0.95,
    gains: "p99",
  },
  {
    name: "a sync a second",
    settings: { "wal.sync_mode": "batch", "wal.flush_interval_ms": 1000 },
    recallShare: 0.3,
    gains: "p99",
  },
  {
    name: "a checkpoint a second",
    // Vectors as long as they mostly are: what is written again and again has to be something.
    settings: { "checkpoint.interval_s": 1, "embedding.dimensions": 768 },
    recallShare: 0.5,
    gains: "p99",
  },
  {
    name: "ef_construction 4096, tail without bound",
    settings: { "index.ef_construction": 4096, "index.M": 64, "index.tail_max": 1_000_000 },
    recallShare: 0.3,
    gains: "p99",
  },
  {
    name: "no cache, slow embedding server",
    settings: { "embedding.cache_mb": 0 },
    recallShare: 0.95,
    gains: "p99",
    hasEmbeddingServer: true,
  },
];

const given = benchArguments("only");
const size = given.isSmall
  ? { memories: 3000, workSeconds: 4, seconds: 3, connections: 8 }
  : { memories: 5000, workSeconds: 15, seconds: 20, connections: 16 };
const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "operate/tune",
  arguments: given,
  server,
  parameters: { dimensions: DIMENSIONS, embedMs: EMBED_MS, ...size },
});
const directory = benchDirectory();
// The small size shows that it works; all of them take minutes.
const only = given.given["only"] ?? (given.isSmall ? "ef_search 4096" : "");
for (const misset of CASES.filter(({ name }) => name.includes(only))) {
  const tuned = await tune(misset);
  const changes = tuned.plan.map(({ path, from, to }) => `${path} ${from} -> ${to}`).join(", ");
  report.line(misset.name, `${changes || "nothing to change"}; ${tuned.verdict?.reason ?? "not measured"}`);
  for (const [name, before] of Object.entries(tuned.before ?? {})) {
    report.figure(`${misset.name}: ${name}`, { before, after: tuned.after?.[name] ?? Number.NaN });
  }
  judge(misset, tuned);
}
report.finish();
directory.remove();

function judge({ name, gains }: Misset, { plan, before, after, verdict }: Tuned): void {
  if (gains === "nothing") {
    report.target({ name: `${name}: changes`, figure: plan.length, unit: "", atMost: 0 });
    return;
  }
  report.target({ name: `${name}: kept`, figure: verdict?.isKept === true ? 1 : 0, unit: "", atLeast: 1 });
  if (gains === "recall") {
    const gained = (after?.[RECALL] ?? 0) - (before?.[RECALL] ?? 0);
    report.target({ name: `${name}: recall@10 gained`, figure: gained, unit: "", atLeast: 0.03 });
    return;
  }
  // Of nothing that was measured nothing became better.
  const better = before?.[P99] === undefined ? 0 : 1 - (after?.[P99] ?? Number.NaN) / before[P99];
  report.target({ name: `${name}: P99 better by, share`, figure: better, unit: "", atLeast: 0.2 });
}

async function tune(misset: Misset): Promise<Tuned> {
  const own = join(directory.path, misset.name.replaceAll(/[^a-z0-9]+/g, "-"));
  mkdirSync(own);
  const embedding = misset.hasEmbeddingServer === true ? embeddingServer() : undefined;
  const appliance = await LoopedAppliance.start({
    directory: own,
    command,
    settings: {
      "embedding.dimensions": DIMENSIONS,
      ...(embedding && {
        "embedding.provider": "openai",
        "embedding.openai.url": `http://127.0.0.1:${embedding.port}`,
        "embedding.openai.model": "bench",
      }),
      ...misset.settings,
    },
  });
  try {
    await work(appliance, misset);
    const words = ["tune", "--apply", "--json", "--url", appliance.url, "--config", appliance.configFile];
    const more = ["--lookback", "10m", "--duration", String(size.seconds)];
    const restart = [
      "--concurrency",
      String(size.connections),
      "--restart-command",
      appliance.restartCommand,
    ];
    let out = "";
    let err = "";
    const status = await runCommand([...words, ...more, ...restart], {
      environment: { ENGRAM_CONFIG: "" },
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      openLoadThread,
      openTerminal: () => undefined,
      startAppliance: () => {
        throw new Error("tune starts no appliance");
      },
    });
    if (status !== 0)
      throw new Error(`${misset.name}: tune ended with ${status}\n${err}\n${appliance.log()}`);
    return JSON.parse(out) as Tuned;
  } finally {
    await appliance.stop();
    embedding?.stop(true);
  }
}

/** Some seconds of what the appliance is for, so that its history shows what is wrong. */
async function work(appliance: LoopedAppliance, { recallShare }: Misset): Promise<void> {
  const { hostname: host, port } = new URL(appliance.url);
  const target = { host, port: Number(port) };
  const texts = new ZipfText(given.seed);
  await store(target, "work", size.memories, () => ({ content: texts.text(10, 25) }));
  await untilIndexed(target, "work");
  await new LoadGenerator(openLoadThread, 1).run({
    target: { ...target, isSecure: false },
    headers: {},
    spaces: ["work"],
    mix: { recallShare, tenants: "all", distinct: 256 },
    seed: given.seed,
    connections: size.connections,
    durationMs: size.workSeconds * 1000,
  });
  // The history is written once a second.
  await Bun.sleep(2000);
}

function openLoadThread(): Worker {
  return new Worker(new URL("../../src/load-worker.ts", import.meta.url).href);
}

/** An OpenAI-compatible server that takes its time; a text's vector is made of its code units. */
function embeddingServer(): ReturnType<typeof Bun.serve> {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { input } = (await request.json()) as { readonly input: readonly string[] };
      await Bun.sleep(EMBED_MS);
      const data = input.map((text, index) => ({ index, object: "embedding", embedding: vectorOf(text) }));
      return Response.json({ object: "list", model: "bench", data });
    },
  });
}

function vectorOf(text: string): number[] {
  const vector = new Array<number>(DIMENSIONS).fill(0.1);
  for (let i = 0; i < text.length; i++) vector[(text.charCodeAt(i) * 7 + i) % DIMENSIONS]! += 1;
  return vector;
}
