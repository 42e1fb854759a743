/**
 * What `engram-appliance profile` costs the appliance while it samples: recalls from memory in a closed loop, in short
 * rounds by turns with and without samples being taken, so that both meet the same machine.
 *
 * Expected: JavaScript of six threads is sampled 50 times a second, a sample taking some 50 us of the thread that is
 * stopped for it and of the sampler; native stacks 100 times a second of processor time, some 5 us each. That is 1.5 %
 * of a core; promised is that throughput falls by less than 2 %. On a machine that others use, the interval of the
 * median says how little one run knows.
 *
 *   bun bench/operate/profile-cost.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE]
 */
import { medianInterval } from "../../src/observe/cost-meter.ts";
import { LoadGenerator } from "../../src/operate/bench/generator.ts";
import { ZipfText } from "../../src/operate/load/zipf-text.ts";
import { Appliance, applianceCommand, benchDirectory, cpuBetween } from "../support/appliance.ts";
import { store, untilIndexed } from "../support/memory-requests.ts";
import { benchArguments, Report } from "../support/report.ts";

const SPACE = "profiled";
const CONNECTIONS = 16;
const PROFILE = "/api/v1/system/profile";

type Round = { readonly perSecond: number; readonly cpuUsPerRecall: number };

const given = benchArguments();
const size = given.isSmall
  ? { memories: 1000, rounds: 2, seconds: 1 }
  : { memories: 10_000, rounds: 30, seconds: 2 };
const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "operate/profile-cost",
  arguments: given,
  server,
  parameters: { connections: CONNECTIONS, ...size },
});
const directory = benchDirectory();
const appliance = await Appliance.start({ directory: directory.path, command, settings: {} });
try {
  const texts = new ZipfText(given.seed);
  await store(appliance, SPACE, size.memories, () => ({ content: texts.text(10, 25) }));
  await untilIndexed(appliance, SPACE);
  await runRound(-1, false);
  const quiet: Round[] = [];
  const sampled: Round[] = [];
  for (let round = 0; round < size.rounds; round++) {
    // Whoever goes first meets a quieter machine by turns.
    for (const isSampled of round % 2 === 0 ? [false, true] : [true, false]) {
      (isSampled ? sampled : quiet).push(await runRound(round, isSampled));
    }
    report.line(`round ${round + 1}`, `quiet ${text(quiet.at(-1)!)}; sampled ${text(sampled.at(-1)!)}`);
  }
  // Neighbours met the same machine: the ratio of each pair, and the middle one of them.
  const ratios = (key: keyof Round) =>
    medianInterval(quiet.map((each, round) => sampled[round]![key] / each[key]));
  for (const [name, { low, median: middle, high }] of [
    ["recalls a second, sampled by quiet", ratios("perSecond")],
    ["processor time of a recall, sampled by quiet", ratios("cpuUsPerRecall")],
  ] as const) {
    report.figure(name, { low, median: middle, high });
    report.line(
      "interval",
      `${name}: ${middle.toFixed(3)}, 95 % within ${low.toFixed(3)} to ${high.toFixed(3)}`,
    );
  }
  report.target({
    name: "throughput lost while sampling, share",
    figure: 1 - ratios("perSecond").median,
    unit: "",
    atMost: 0.02,
  });
  report.target({
    name: "processor time added while sampling, share",
    figure: ratios("cpuUsPerRecall").median - 1,
    unit: "",
    atMost: 0.02,
  });
} finally {
  await appliance.stop();
}
report.finish();
directory.remove();

async function runRound(round: number, isSampled: boolean): Promise<Round> {
  const generator = new LoadGenerator(
    () => new Worker(new URL("../../src/load-worker.ts", import.meta.url).href),
    1,
  );
  const before = appliance.cpu();
  const sampling = isSampled ? sample() : Promise.resolve();
  const outcome = await generator.run({
    target: { host: appliance.host, port: appliance.port, isSecure: false },
    headers: {},
    spaces: [SPACE],
    mix: { recallShare: 1, tenants: "all" },
    seed: given.seed + round + 1,
    connections: CONNECTIONS,
    durationMs: size.seconds * 1000,
  });
  const spent = cpuBetween(before, appliance.cpu());
  await sampling;
  const recalls = outcome.latenciesMs["recall"]!.length;
  return {
    perSecond: (recalls / outcome.elapsedMs) * 1000,
    cpuUsPerRecall: (spent.totalSeconds / recalls) * 1e6,
  };
}

async function sample(): Promise<void> {
  const answer = await fetch(`http://${appliance.host}:${appliance.port}${PROFILE}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ seconds: size.seconds }),
  });
  if (!answer.ok) throw new Error(`The appliance answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

function text({ perSecond, cpuUsPerRecall }: Round): string {
  return `${perSecond.toFixed(0)} a second, ${cpuUsPerRecall.toFixed(0)} us each`;
}
