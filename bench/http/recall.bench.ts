/**
 * How many recalls does a server core answer over HTTP, and what share is that of usearch called in-process?
 *
 * Expected: a search of 50,000 vectors at ef 64 takes 0.2-0.3 ms. Parsing the request (a 4 KB body of JSON and
 * base64), reading ten memories and writing 3 KB of JSON should take 0.05 ms, the kernel's part of two
 * loopback messages 0.03 ms: 0.7-0.8 of raw usearch a core, and p99 under 1 ms at a third of full load.
 *
 * Client and server share the machine, so "per core" is answers per processor second of the server (all its
 * threads, from /proc), against searches per processor second of usearch. Rounds of both take turns. usearch
 * runs alone in its round, while the server's threads share caches and memory with the client and with each other:
 * the comparison leans against the appliance.
 *
 *   bun bench/http/recall.bench.ts [--small] [--seed N] [--ef N] [--json FILE] [--binary FILE]
 */

import { failures, runLoad, Series } from "../../src/operate/load/http-load.ts";
import { ZipfText } from "../../src/operate/load/zipf-text.ts";
import { Appliance, applianceCommand, benchDirectory, cpuBetween, cpuText } from "../support/appliance.ts";
import { CLUSTERED_SIGMA, clustered, row } from "../support/clustered.ts";
import { recalledIds, recallRequest, store, untilIndexed } from "../support/memory-requests.ts";
import { benchArguments, median, Report } from "../support/report.ts";
import { exactNearest, threadSeconds, UsearchReference } from "../support/usearch-reference.ts";

const SPACE = "recall";
const DIMENSIONS = 768;
const M = 16;
const EF_CONSTRUCTION = 128;
const LIMIT = 10;
/** What exact search would answer: mode hybrid weighs age, use, competition and what is bound besides. */
const MODE = "vector";
const RECALL_AT_LEAST = 0.99;
const CLIENTS = 16;
const SCHEDULED_CLIENTS = 32;
const RATE = 1000;

const given = benchArguments("ef");
const { isSmall, seed } = given;
const size = isSmall
  ? { count: 3000, centres: 60, queries: 100, rounds: 2, roundMs: 400, scheduledMs: 1000 }
  : { count: 50_000, centres: 1000, queries: 400, rounds: 5, roundMs: 3000, scheduledMs: 15_000 };
const efLadder = given.given["ef"] === undefined ? [64, 96, 128, 192, 256, 512] : [Number(given.given["ef"])];

const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "http/recall",
  arguments: given,
  server,
  parameters: {
    vectors: size.count,
    dimensions: DIMENSIONS,
    centres: size.centres,
    sigma: CLUSTERED_SIGMA,
    queries: size.queries,
    limit: LIMIT,
    mode: MODE,
    M,
    ef_construction: EF_CONSTRUCTION,
    rounds: size.rounds,
    clients: CLIENTS,
    rate: RATE,
  },
});

const directory = benchDirectory();
const appliance = await Appliance.start({
  directory: directory.path,
  command,
  settings: { "index.m": String(M), "index.ef_construction": String(EF_CONSTRUCTION) },
});
try {
  const data = clustered({
    seed,
    dimensions: DIMENSIONS,
    count: size.count,
    queries: size.queries,
    centres: size.centres,
  });
  const texts = new ZipfText(seed);
  const query = (index: number): Float32Array => row(data.queries, index % size.queries, DIMENSIONS);

  // --- load both sides ----------------------------------------------------------------------------
  const loadedAt = performance.now();
  await store(appliance, SPACE, size.count, (index) => ({
    id: String(index),
    content: texts.text(10, 25),
    embedding: row(data.vectors, index, DIMENSIONS),
  }));
  const storedMs = performance.now() - loadedAt;
  await untilIndexed(appliance, SPACE);
  const indexedMs = performance.now() - loadedAt;
  report.line(
    "load",
    `stored in ${(storedMs / 1000).toFixed(1)} s, all in the graph after ${(indexedMs / 1000).toFixed(1)} s`,
  );
  const truth = exactNearest({
    vectors: data.vectors,
    queries: data.queries,
    dimensions: DIMENSIONS,
    k: LIMIT,
  });

  // --- the ef at which enough is found ------------------------------------------------------------
  const recallAt = async (ef: number): Promise<number> => {
    let hits = 0;
    const requests = Array.from({ length: size.queries }, (_, i) =>
      recallRequest(SPACE, { embedding: query(i), ef, mode: MODE }),
    );
    const result = await runLoad({
      host: appliance.host,
      port: appliance.port,
      connections: 4,
      requests: size.queries,
      request: (index) => requests[index]!,
      onReply: (index, status, body) => {
        if (status !== 200)
          throw new Error(`A recall was answered ${status}: ${Buffer.from(body).toString()}`);
        for (const id of recalledIds(body)) if (truth[index]!.has(Number(id))) hits += 1;
      },
    });
    if (failures(result) > 0) throw new Error("recalls failed");
    return hits / (size.queries * LIMIT);
  };
  let ef = 0;
  let found = 0;
  for (ef of efLadder) {
    found = await recallAt(ef);
    report.line("recall@10", `${found.toFixed(4)} at ef ${ef}, against exact search`);
    if (found >= RECALL_AT_LEAST) break;
  }
  report.figure("ef", ef);
  report.figure("recall_at_10", found);

  const reference = new UsearchReference({ dimensions: DIMENSIONS, M, efConstruction: EF_CONSTRUCTION, ef });
  for (let from = 0; from < size.count; from += 1000)
    reference.add(data.vectors, from, Math.min(1000, size.count - from));
  let referenceHits = 0;
  for (let i = 0; i < size.queries; i++) {
    for (const key of reference.search(query(i), LIMIT)) if (truth[i]!.has(Number(key))) referenceHits += 1;
  }
  report.line(
    "usearch",
    `recall@10 ${(referenceHits / (size.queries * LIMIT)).toFixed(4)} at ef ${ef} (bf16, ip, npm package, in the client's process)`,
  );

  // --- closed loop, taking turns ------------------------------------------------------------------
  const requestsOf = (mode: string) =>
    Array.from({ length: size.queries }, (_, i) => recallRequest(SPACE, { embedding: query(i), ef, mode }));
  const requests = requestsOf(MODE);
  const weighed = requestsOf("hybrid");
  const closed = (durationMs: number, asked = requests) =>
    runLoad({
      host: appliance.host,
      port: appliance.port,
      connections: CLIENTS,
      durationMs,
      request: (index) => asked[index % asked.length]!,
    });
  await closed(size.roundMs / 2);
  await closed(size.roundMs / 2, weighed);
  const ratios: number[] = [];
  const perSecond: number[] = [];
  const perCore: number[] = [];
  const weighedPerCore: number[] = [];
  const referencePerCore: number[] = [];
  const latencies = new Series();
  for (let round = 0; round < size.rounds; round++) {
    const before = appliance.cpu();
    const clientBefore = process.cpuUsage();
    const result = await closed(size.roundMs);
    const spent = cpuBetween(before, appliance.cpu());
    const client = process.cpuUsage(clientBefore);
    if (failures(result) > 0) throw new Error(`recalls failed: ${JSON.stringify(result.statuses)}`);
    for (const ms of result.latenciesMs) latencies.push(ms);

    const weighedBefore = appliance.cpu();
    const weighedResult = await closed(size.roundMs, weighed);
    if (failures(weighedResult) > 0) throw new Error("weighed recalls failed");
    const weighedSpent = cpuBetween(weighedBefore, appliance.cpu());
    weighedPerCore.push(weighedResult.latenciesMs.length / weighedSpent.totalSeconds);

    let searches = 0;
    const startedSeconds = threadSeconds();
    const until = performance.now() + size.roundMs;
    while (performance.now() < until) reference.search(query(searches++), LIMIT);
    const referenceSeconds = threadSeconds() - startedSeconds;

    const ours = result.latenciesMs.length / spent.totalSeconds;
    const theirs = searches / referenceSeconds;
    perSecond.push(result.perSecond);
    perCore.push(ours);
    referencePerCore.push(theirs);
    ratios.push(ours / theirs);
    report.line(
      `round ${round + 1}`,
      `${result.perSecond.toFixed(0)} recalls/s; ${ours.toFixed(0)} a server core-second (us each: ${cpuText(spent, result.latenciesMs.length)}; ` +
        `client ${((client.user + client.system) / result.latenciesMs.length).toFixed(1)}); usearch ${theirs.toFixed(0)} a core-second`,
    );
  }
  report.line(
    "closed loop",
    `${CLIENTS} clients: ${median(perSecond).toFixed(0)} recalls/s (median), ${report.percentiles("closed_ms", latencies.values())}`,
  );
  report.figure("recalls_per_second", median(perSecond));
  report.figure("recalls_per_core_second", median(perCore));
  report.line(
    "weighed",
    `the same in mode hybrid, which weighs age, use, competition and what is bound: ${median(weighedPerCore).toFixed(0)} a server core-second, ${(median(weighedPerCore) / median(perCore)).toFixed(2)} of the above`,
  );
  report.figure("weighed_recalls_per_core_second", median(weighedPerCore));
  report.figure("usearch_per_core_second", median(referencePerCore));

  // --- on schedule --------------------------------------------------------------------------------
  const before = appliance.cpu();
  const scheduled = await runLoad({
    host: appliance.host,
    port: appliance.port,
    connections: SCHEDULED_CLIENTS,
    durationMs: size.scheduledMs,
    rate: RATE,
    request: (index) => requests[index % requests.length]!,
  });
  if (failures(scheduled) > 0) throw new Error(`recalls failed: ${JSON.stringify(scheduled.statuses)}`);
  const spent = cpuBetween(before, appliance.cpu());
  report.line(
    "on schedule",
    `${RATE} a second over ${SCHEDULED_CLIENTS} connections: ${report.percentiles("scheduled_ms", scheduled.latenciesMs)}`,
  );
  report.line(
    "",
    `sent late by ${report.percentiles("scheduled_lag_ms", scheduled.lagsMs)} (the client's own part of it)`,
  );
  report.line("", `server us a recall: ${cpuText(spent, scheduled.latenciesMs.length)}`);

  const p99 = scheduled.latenciesMs.toSorted()[Math.floor(scheduled.latenciesMs.length * 0.99)]!;
  report.target({ name: `recall@10 at ef ${ef}`, figure: found, unit: "", atLeast: RECALL_AT_LEAST });
  report.target({
    name: "recalls a core, share of raw usearch",
    figure: median(ratios),
    unit: "",
    atLeast: 0.6,
  });
  report.target({ name: `p99 at ${RATE} recalls a second on schedule`, figure: p99, unit: "ms", atMost: 2 });
} finally {
  await appliance.stop();
  directory.remove();
}
report.finish();
