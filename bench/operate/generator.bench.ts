/**
 * Does the load generator of `engram-appliance bench` see what an independent one sees? wrk sends the same recalls
 * over as many connections, in turns with ours, both in a closed loop.
 *
 * Expected: the server is the bottleneck of either, so throughput agrees within 10 %, and each percentile falls into
 * the same or the next of the buckets that our histograms have (powers of two).
 *
 *   bun bench/operate/generator.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE]
 *
 * wrk is Debian's package of that name; without it the bench says so and ends.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LoadGenerator } from "../../src/operate/bench/generator.ts";
import { quantileOf } from "../../src/operate/bench/quantiles.ts";
import { prepareRequests } from "../../src/operate/bench/requests.ts";
import { ZipfText } from "../../src/operate/load/zipf-text.ts";
import { Appliance, applianceCommand, benchDirectory } from "../support/appliance.ts";
import { store, untilIndexed } from "../support/memory-requests.ts";
import { benchArguments, median, Report } from "../support/report.ts";

const SPACE = "generator";
const CONNECTIONS = 16;
const RECALL = { recallShare: 1, tenants: "all" } as const;
const SHARES = { p50: 0.5, p90: 0.9, p99: 0.99 } as const;

type Seen = { readonly perSecond: number; readonly p50: number; readonly p90: number; readonly p99: number };

const given = benchArguments();
const size = given.isSmall
  ? { memories: 1000, rounds: 2, seconds: 1 }
  : { memories: 10_000, rounds: 7, seconds: 5 };
const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "operate/generator",
  arguments: given,
  server,
  parameters: { connections: CONNECTIONS, ...size },
});
if (Bun.which("wrk") === null) {
  report.line("skipped", "wrk is not installed: apt-get install wrk");
  process.exit(0);
}

const directory = benchDirectory();
const appliance = await Appliance.start({ directory: directory.path, command, settings: {} });
try {
  const texts = new ZipfText(given.seed);
  await store(appliance, SPACE, size.memories, () => ({ content: texts.text(10, 25) }));
  await untilIndexed(appliance, SPACE);
  const script = join(directory.path, "recalls.lua");
  writeFileSync(script, wrkScript(given.seed));

  const ours: Seen[] = [];
  const theirs: Seen[] = [];
  for (let round = 0; round < size.rounds; round++) {
    // Whoever goes first meets a quieter machine by turns.
    for (const mine of round % 2 === 0 ? [true, false] : [false, true]) {
      if (mine) ours.push(await runOurs(round));
      else theirs.push(await runWrk(script));
    }
    const [a, b] = [ours.at(-1)!, theirs.at(-1)!];
    report.line(`round ${round + 1}`, `ours ${text(a)}; wrk ${text(b)}`);
  }
  const middle = (seen: readonly Seen[], key: keyof Seen): number => median(seen.map((each) => each[key]));
  const ratio = middle(ours, "perSecond") / middle(theirs, "perSecond");
  report.target({ name: "throughput off wrk's, share", figure: Math.abs(1 - ratio), unit: "", atMost: 0.1 });
  for (const key of Object.keys(SHARES) as (keyof typeof SHARES)[]) {
    const off = Math.abs(Math.log2(middle(ours, key) / middle(theirs, key)));
    report.figure(key, { ours: middle(ours, key), wrk: middle(theirs, key) });
    report.target({ name: `${key} off wrk's, buckets (powers of two)`, figure: off, unit: "", atMost: 1 });
  }
} finally {
  await appliance.stop();
}
report.finish();
directory.remove();

async function runOurs(round: number): Promise<Seen> {
  const generator = new LoadGenerator(
    () => new Worker(new URL("../../src/load-worker.ts", import.meta.url).href),
    1,
  );
  const outcome = await generator.run({
    target: { host: appliance.host, port: appliance.port, isSecure: false },
    headers: {},
    spaces: [SPACE],
    mix: RECALL,
    seed: given.seed + round,
    connections: CONNECTIONS,
    durationMs: size.seconds * 1000,
  });
  const sorted = outcome.latenciesMs["recall"]!.sort();
  const at = (share: number): number => quantileOf(sorted, share).value;
  return {
    perSecond: (sorted.length / outcome.elapsedMs) * 1000,
    p50: at(SHARES.p50),
    p90: at(SHARES.p90),
    p99: at(SHARES.p99),
  };
}

async function runWrk(script: string): Promise<Seen> {
  const url = `http://${appliance.host}:${appliance.port}`;
  const run = Bun.spawn(
    ["wrk", "-t1", `-c${CONNECTIONS}`, `-d${size.seconds}s`, "--latency", "-s", script, url],
    { stdout: "pipe" },
  );
  const output = await new Response(run.stdout).text();
  const found = /^seen (\S+) (\S+) (\S+) (\S+)$/m.exec(output);
  if (found === null) throw new Error(`wrk said:\n${output}`);
  const [perSecond, p50, p90, p99] = found.slice(1).map(Number);
  return { perSecond: perSecond!, p50: p50! / 1000, p90: p90! / 1000, p99: p99! / 1000 };
}

/** The same requests as ours, in the same order, from wrk's own script language. */
function wrkScript(seed: number): string {
  const bodies = prepareRequests({ mix: RECALL, spaces: [SPACE], seed, headers: {} }).map(({ bytes }) => {
    const whole = Buffer.from(bytes).toString();
    return whole.slice(whole.indexOf("\r\n\r\n") + 4);
  });
  return `local bodies = {${bodies.map((body) => `[==[${body}]==]`).join(",\n")}}
local headers = {["Content-Type"] = "application/json", ["X-Memory-Space"] = "${SPACE}"}
local at = 0
request = function()
  at = at % #bodies + 1
  return wrk.format("POST", "/api/v1/memories/recall", headers, bodies[at])
end
done = function(summary, latency)
  io.write(string.format("seen %f %f %f %f\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(90), latency:percentile(99)))
end
`;
}

function text({ perSecond, p50, p99 }: Seen): string {
  return `${perSecond.toFixed(0)} a second, p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)} ms`;
}
