/**
 * Do clients of event streams make a recall slower?
 *
 * Expected: not by what could be seen. With a listener a recall writes one event (1 to 2 us); its worker reads the
 * rings 40 times a second, a millisecond at most, and sends what it found; a stream of all metrics takes some
 * milliseconds of a worker once a second. The clients, a thread that parses nothing, share the machine.
 *
 * Two appliances with the same memories, one of which has a reader of each stream, answer the same recalls in rounds
 * that take turns, in changing order. The difference is the median over the pairs of rounds, its 95 % interval by ranks;
 * of the 99th percentile the same.
 *
 *   bun bench/http/streams.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE]
 */
import { medianInterval } from "../../src/observe/cost-meter.ts";
import { failures, runLoad } from "../../src/operate/load/http-load.ts";
import { ZipfText } from "../../src/operate/load/zipf-text.ts";
import { Appliance, applianceCommand, benchDirectory } from "../support/appliance.ts";
import { recallRequest, store, untilIndexed } from "../support/memory-requests.ts";
import { benchArguments, median, Report } from "../support/report.ts";
import type { StreamJob } from "./stream-reader-worker.ts";

const SPACE = "watched";
const STREAMS = ["memories", "logs", "alerts", "metrics"] as const;

const given = benchArguments();
const size = given.isSmall
  ? { memories: 1500, pairs: 6, recalls: 40 }
  : { memories: 10_000, pairs: 60, recalls: 200 };
const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "http/streams",
  arguments: given,
  server,
  parameters: { ...size, streams: STREAMS.length, api_workers: 1, mode: "hybrid", embedder: "hash" },
});

const texts = new ZipfText(given.seed);
const contents = Array.from({ length: size.memories }, () => texts.text(10, 25));
const requests = Array.from({ length: 1000 }, () => recallRequest(SPACE, { query: texts.text(3, 8) }));
const directories = [benchDirectory(), benchDirectory()] as const;
const settings = { "thread_pools.api_workers": "1" };
const heard = await Appliance.start({ directory: directories[0].path, command, settings });
const quiet = await Appliance.start({ directory: directories[1].path, command, settings });
let streamedBytes = 0;
const reader = new Worker(new URL("./stream-reader-worker.ts", import.meta.url).href);
reader.onmessage = ({ data }: { data: number }) => {
  streamedBytes = data;
};
try {
  for (const appliance of [heard, quiet]) {
    await store(appliance, SPACE, size.memories, (index) => ({ content: contents[index]! }));
    await untilIndexed(appliance, SPACE);
  }
  reader.postMessage({
    urls: STREAMS.map((name) => `${heard.url}/api/v1/stream/${name}`),
  } satisfies StreamJob);
  await compare();
} finally {
  reader.terminate();
  await heard.stop();
  await quiet.stop();
  for (const directory of directories) directory.remove();
}
report.finish();

async function compare(): Promise<void> {
  const round = async (appliance: Appliance): Promise<{ middle: number; late: number }> => {
    const result = await runLoad({
      host: appliance.host,
      port: appliance.port,
      connections: 1,
      requests: size.recalls,
      request: (index) => requests[index % requests.length]!,
    });
    if (failures(result) > 0) throw new Error("A recall was refused");
    // The first one pays for the connection.
    const sorted = result.latenciesMs.slice(1).sort();
    return { middle: sorted[sorted.length >> 1]!, late: sorted[Math.floor(sorted.length * 0.99)]! };
  };
  for (let warm = 0; warm < 5; warm++) void [await round(heard), await round(quiet)];
  const rounds = {
    heard: [] as { middle: number; late: number }[],
    quiet: [] as { middle: number; late: number }[],
  };
  for (let pair = 0; pair < size.pairs; pair++) {
    const order = pair % 2 === 0 ? (["heard", "quiet"] as const) : (["quiet", "heard"] as const);
    for (const name of order) rounds[name].push(await round(name === "heard" ? heard : quiet));
  }
  for (const which of ["middle", "late"] as const) {
    const of = (name: "heard" | "quiet") => rounds[name].map((each) => each[which] * 1000);
    const quietUs = of("quiet");
    const differences = of("heard").map((us, index) => us - quietUs[index]!);
    const { low, median: middle, high } = medianInterval(differences);
    const name = which === "middle" ? "median" : "P99";
    report.line(
      name,
      `streamed ${median(of("heard")).toFixed(1)} us, not ${median(quietUs).toFixed(1)} us; ${middle.toFixed(1)} us more, 95 % between ${low.toFixed(1)} and ${high.toFixed(1)} us`,
    );
    report.figure(`${name}_difference_us`, { low, median: middle, high, pairs: size.pairs });
    report.target({
      name: `${name} of a recall with streams open, lower end of the interval of the difference`,
      figure: low,
      unit: "us",
      atMost: 0,
    });
  }
  report.line("streamed", `${streamedBytes} bytes`);
  if (streamedBytes === 0) throw new Error("The streams said nothing");
}
