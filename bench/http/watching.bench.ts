/**
 * What does watching cost a recall over HTTP, and what does being scraped?
 *
 * Expected: nothing that can be seen. A recall of some 0.5 ms passes 8 readings of the clock, 8 records and a trace:
 * 150 ns, 0.03 % of it, where the noise of a round is some per cent. The collector samples for a millisecond or two
 * once a second, on the other core. A scrape with 200 spaces writes some 3,000 lines: 2 to 4 ms of the worker that
 * takes it, once a second, which 0.3 % of the recalls meet: less than the one in a hundred that P99 looks at.
 *
 * One appliance answers the same recalls in rounds that take turns, in changing order: with monitoring.enabled on and,
 * switched while it runs, off. (Two processes differ by more than watching costs, because their memory lies elsewhere:
 * two watched ones were 7 us apart, with an interval that did not hold 0.) The difference is the median over the pairs
 * of rounds, its 95 % interval by ranks. Then 200 spaces are made, and recalls on schedule are measured with a scrape
 * each second and without, in turns; the interval of the difference of their P99 comes from resampling rounds.
 *
 *   bun bench/http/watching.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE]
 */
import { Random } from "../../src/base/random.ts";
import { medianInterval } from "../../src/observe/cost-meter.ts";
import { failures, getRequest, quantile, runLoad } from "../../src/operate/load/http-load.ts";
import { ZipfText } from "../../src/operate/load/zipf-text.ts";
import { Appliance, applianceCommand, benchDirectory } from "../support/appliance.ts";
import { call, createSpace, recallRequest, store, untilIndexed } from "../support/memory-requests.ts";
import { benchArguments, median, Report } from "../support/report.ts";

const SPACE = "watched";
const SPACES_SETTLE_MS = 3000;
const SPACES = 200;
const RESAMPLES = 2000;
const SCRAPE_EVERY_MS = 1000;
const SETTLE_MS = 20;

const given = benchArguments();
const { isSmall, seed } = given;
const size = isSmall
  ? { memories: 1500, pairs: 6, recalls: 20, scrapes: 10, scrapedPairs: 2, scrapedMs: 1100, rate: 50 }
  : { memories: 20_000, pairs: 200, recalls: 60, scrapes: 100, scrapedPairs: 20, scrapedMs: 2000, rate: 200 };

const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "http/watching",
  arguments: given,
  server,
  parameters: { ...size, spaces: SPACES, api_workers: 1, mode: "hybrid", embedder: "hash" },
});

const texts = new ZipfText(seed);
const contents = Array.from({ length: size.memories }, () => texts.text(10, 25));
const requests = Array.from({ length: 1000 }, () => recallRequest(SPACE, { query: texts.text(3, 8) }));

const directory = benchDirectory();
const appliance = await Appliance.start({
  directory: directory.path,
  command,
  settings: { "thread_pools.api_workers": "1", "spaces.max": "512" },
});
try {
  await store(appliance, SPACE, size.memories, (index) => ({ content: contents[index]! }));
  await untilIndexed(appliance, SPACE);
  await compareWatching();
  await measureScrapes();
} finally {
  await appliance.stop();
  directory.remove();
}
report.finish();

async function setWatching(isOn: boolean): Promise<void> {
  const reply = await fetch(`${appliance.url}/api/v1/system/settings`, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ "monitoring.enabled": isOn }),
  });
  if (!reply.ok) throw new Error(`Watching could not be switched: ${await reply.text()}`);
}

/** Recalls with and without, in turns. */
async function compareWatching(): Promise<void> {
  const cpuSeconds = (): number =>
    Object.values(appliance.cpu().byRole).reduce((sum, seconds) => sum + seconds, 0);
  const spent = { on: 0, off: 0 };
  const round = async (isOn: boolean): Promise<number> => {
    await setWatching(isOn);
    // What the switch itself sets in motion is over by then.
    await Bun.sleep(SETTLE_MS);
    const before = cpuSeconds();
    const result = await runLoad({
      host: appliance.host,
      port: appliance.port,
      connections: 1,
      requests: size.recalls,
      request: (index) => requests[index % requests.length]!,
    });
    if (failures(result) > 0) throw new Error("A recall was refused");
    spent[isOn ? "on" : "off"] += cpuSeconds() - before;
    // The first ones pay for the connection.
    return median([...result.latenciesMs.subarray(5)]);
  };
  for (let warm = 0; warm < 5; warm++) void [await round(true), await round(false)];
  spent.on = 0;
  spent.off = 0;
  const onMs: number[] = [];
  const offMs: number[] = [];
  for (let pair = 0; pair < size.pairs; pair++) {
    const order = pair % 2 === 0 ? [true, false] : [false, true];
    for (const isOn of order) (isOn ? onMs : offMs).push(await round(isOn));
  }
  await setWatching(true);
  const differencesUs = onMs.map((ms, index) => (ms - offMs[index]!) * 1000);
  const { low, median: middle, high } = medianInterval(differencesUs);
  const us = (value: number): string => value.toFixed(1);
  report.line("recall", `watched ${us(median(onMs) * 1000)} us, not watched ${us(median(offMs) * 1000)} us`);
  report.line(
    "difference",
    `${us(middle)} us, 95 % between ${us(low)} and ${us(high)} us (${size.pairs} pairs of rounds)`,
  );
  const recalls = size.pairs * size.recalls;
  const [onUs, offUs] = [(spent.on * 1e6) / recalls, (spent.off * 1e6) / recalls];
  report.line(
    "processor",
    `a recall, with all threads meanwhile: watched ${us(onUs)} us, not watched ${us(offUs)} us`,
  );
  report.figure("difference_us", { low, median: middle, high, pairs: size.pairs });
  report.figure("processor_us", { on: onUs, off: offUs });
  report.target({
    name: "a recall watched against not, lower end of the interval of the difference",
    figure: low,
    unit: "us",
    atMost: 0,
  });
}

async function measureScrapes(): Promise<void> {
  for (let index = 0; index < SPACES; index++) await createSpace(appliance, `space-${index}`);
  await call(appliance, getRequest("/api/v1/spaces"));
  // What making 200 spaces left for the background to do is none of the scrape's.
  await Bun.sleep(SPACES_SETTLE_MS);
  const scrape = getRequest("/metrics");
  let bytes = 0;
  const scrapes = () =>
    runLoad({
      host: appliance.host,
      port: appliance.port,
      connections: 1,
      requests: size.scrapes,
      request: () => scrape,
      onReply: (_, status, body) => {
        if (status !== 200) throw new Error(`/metrics was answered ${status}`);
        bytes = body.byteLength;
      },
    });
  // Nothing of this ran before: the first scrapes are interpreted, as they are once after each start.
  const first = await scrapes();
  report.line("first", report.percentiles("first_scrapes_ms", first.latenciesMs));
  const alone = await scrapes();
  report.line(
    "scrape",
    `${report.percentiles("scrape_ms", alone.latenciesMs)}, ${bytes} bytes, ${SPACES} spaces`,
  );

  const quiet: Float64Array[] = [];
  const scraped: Float64Array[] = [];
  const recalls = async (): Promise<Float64Array> => {
    const result = await runLoad({
      host: appliance.host,
      port: appliance.port,
      connections: 8,
      durationMs: size.scrapedMs,
      rate: size.rate,
      request: (index) => requests[index % requests.length]!,
    });
    if (failures(result) > 0) throw new Error("A recall was refused");
    return result.latenciesMs;
  };
  const withScrapes = async (): Promise<Float64Array> => {
    const url = `${appliance.url}/metrics`;
    const timer = setInterval(() => void fetch(url).then((reply) => reply.text()), SCRAPE_EVERY_MS);
    try {
      return await recalls();
    } finally {
      clearInterval(timer);
    }
  };
  for (let pair = 0; pair < size.scrapedPairs; pair++) {
    if (pair % 2 === 0) quiet.push(await recalls());
    scraped.push(await withScrapes());
    if (pair % 2 === 1) quiet.push(await recalls());
  }
  const p99 = (rounds: readonly Float64Array[]): number =>
    quantile(Float64Array.from(rounds.flatMap((round) => [...round])), 0.99);
  const random = new Random(seed);
  const differences = Array.from({ length: isSmall ? 50 : RESAMPLES }, () => {
    const drawn = quiet.map(() => random.below(quiet.length));
    return p99(drawn.map((index) => scraped[index]!)) - p99(drawn.map((index) => quiet[index]!));
  }).sort((a, b) => a - b);
  const at = (share: number): number => differences[Math.floor(share * (differences.length - 1))]!;
  report.line(
    "scraped",
    `recall p99 ${p99(scraped).toFixed(2)} ms with a scrape each second, ${p99(quiet).toFixed(2)} ms without; difference 95 % between ${at(0.025).toFixed(2)} and ${at(0.975).toFixed(2)} ms`,
  );
  report.figure("scraped_p99_ms", {
    scraped: p99(scraped),
    quiet: p99(quiet),
    low: at(0.025),
    high: at(0.975),
  });
  report.target({
    name: `/metrics with ${SPACES} spaces, p99`,
    figure: quantile(alone.latenciesMs, 0.99),
    unit: "ms",
    atMost: 5,
  });
  report.target({
    name: "recall p99 scraped against not, lower end of the interval of the difference",
    figure: at(0.025),
    unit: "ms",
    atMost: 0,
  });
}
