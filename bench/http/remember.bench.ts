/**
 * How many memories a second does the appliance make durable over HTTP, embeddings given?
 *
 * Expected: a memory of 768 dimensions is a 4 KB body, a 3.3 KB log record and a few cache misses: some 0.06 ms
 * of an API worker, 0.02 ms of the writer. 64 clients fill one group while the last is synced (0.2 ms and more),
 * so syncing is no limit: 10,000 a second on two cores with the client beside it. In batches of 100 the
 * HTTP part is shared: 30,000. This holds while the unindexed tail has room (index.tail_max). Once it is full,
 * memories come in as fast as one indexer links them into the graph, which is what usearch does in
 * 0.3-0.4 ms each.
 *
 * Rounds take turns, each in a space of its own, deleted afterwards so that indexing it does not slow the next.
 * The last part goes on without end: the same vectors are inserted by usearch in-process in the pauses, with one
 * inserter as here, into a graph of the same size.
 *
 *   bun bench/http/remember.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE]
 */

import { failures, type LoadResult, runLoad, Series } from "../../src/operate/load/http-load.ts";
import { ZipfText } from "../../src/operate/load/zipf-text.ts";
import { Appliance, applianceCommand, benchDirectory, cpuBetween, cpuText } from "../support/appliance.ts";
import { CLUSTERED_CENTRES, CLUSTERED_SIGMA, clustered, row } from "../support/clustered.ts";
import {
  batchRequest,
  createSpace,
  deleteSpace,
  memoryJson,
  memoryJsonWithNumbers,
  recallRequest,
  rememberRequest,
  spaceFacts,
  untilIndexed,
} from "../support/memory-requests.ts";
import { benchArguments, median, Report } from "../support/report.ts";
import { threadSeconds, UsearchReference } from "../support/usearch-reference.ts";

const DIMENSIONS = 768;
const M = 16;
const EF_CONSTRUCTION = 128;
const CLIENTS = 64;
const BATCH = 100;
const BATCH_CLIENTS = 8;
const RECALL_RATE = 100;

const given = benchArguments();
const { isSmall, seed } = given;
const size = isSmall
  ? { tailMax: 2048, burst: 1500, rounds: 2, endlessRounds: 1, endlessMs: 1500, prepared: 6000 }
  : { tailMax: 8192, burst: 7500, rounds: 5, endlessRounds: 2, endlessMs: 10_000, prepared: 60_000 };
/** Vectors there are; sent again and again, since each memory is new by its id. */
const vectorCount = isSmall ? 8000 : 100_000;

const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "http/remember",
  arguments: given,
  server,
  parameters: {
    dimensions: DIMENSIONS,
    centres: CLUSTERED_CENTRES,
    sigma: CLUSTERED_SIGMA,
    ack: "fsync",
    tail_max: size.tailMax,
    memories_a_round: size.burst,
    rounds: size.rounds,
    clients: CLIENTS,
    batch: BATCH,
    batch_clients: BATCH_CLIENTS,
    M,
    ef_construction: EF_CONSTRUCTION,
  },
});

const data = clustered({ seed, dimensions: DIMENSIONS, count: vectorCount, queries: 200 });
const texts = new ZipfText(seed);
const vector = (index: number): Float32Array => row(data.vectors, index % vectorCount, DIMENSIONS);
const contents = Array.from({ length: 4096 }, () => texts.text(10, 25));
const memory = (index: number) => ({ content: contents[index % contents.length]!, embedding: vector(index) });

const directory = benchDirectory();
const appliance = await Appliance.start({
  directory: directory.path,
  command,
  settings: {
    "index.m": String(M),
    "index.ef_construction": String(EF_CONSTRUCTION),
    "index.tail_max": String(size.tailMax),
  },
});

type Kind = {
  readonly name: string;
  readonly key: string;
  readonly each: number;
  readonly clients: number;
  readonly json: (index: number) => string;
};
const kinds: readonly Kind[] = [
  { name: "one by one", key: "single", each: 1, clients: CLIENTS, json: (i) => memoryJson(memory(i)) },
  {
    name: `batches of ${BATCH}`,
    key: "batch",
    each: BATCH,
    clients: BATCH_CLIENTS,
    json: (i) => memoryJson(memory(i)),
  },
  {
    name: "one by one, JSON numbers",
    key: "single_numbers",
    each: 1,
    clients: CLIENTS,
    json: (i) => memoryJsonWithNumbers(memory(i)),
  },
];

/** One round of a kind, into a new space. */
async function burst(
  kind: Kind,
  round: number,
): Promise<{
  result: LoadResult;
  stored: number;
  indexedMeanwhile: number;
  cpu: ReturnType<Appliance["cpu"]>;
}> {
  const space = `${kind.key}-${round}`;
  await createSpace(appliance, space);
  const requestCount = Math.floor(size.burst / kind.each);
  const jsons = Array.from({ length: requestCount * kind.each }, (_, i) => kind.json(i));
  const requests = Array.from({ length: requestCount }, (_, i) =>
    kind.each === 1
      ? rememberRequest(space, jsons[i]!)
      : batchRequest(space, jsons.slice(i * kind.each, (i + 1) * kind.each)),
  );
  const before = appliance.cpu();
  const result = await runLoad({
    host: appliance.host,
    port: appliance.port,
    connections: kind.clients,
    requests: requestCount,
    request: (index) => requests[index]!,
  });
  const cpu = cpuBetween(before, appliance.cpu());
  const facts = await spaceFacts(appliance, space);
  const stored = requestCount * kind.each;
  if (result.statuses[201] !== requestCount)
    throw new Error(`memories were refused: ${JSON.stringify(result.statuses)}`);
  if (facts.memories !== stored)
    throw new Error(`${stored} memories were acknowledged, ${facts.memories} are there`);
  await deleteSpace(appliance, space);
  return { result, stored, indexedMeanwhile: facts.indexed, cpu };
}

try {
  // --- while the tail has room --------------------------------------------------------------------
  for (const kind of kinds) await burst(kind, 0);
  const rates = new Map<string, number[]>();
  const latencies = new Map<string, Series>();
  for (let round = 1; round <= size.rounds; round++) {
    for (const kind of kinds) {
      const { result, stored, indexedMeanwhile, cpu } = await burst(kind, round);
      const rate = (stored / result.elapsedMs) * 1000;
      rates.set(kind.key, [...(rates.get(kind.key) ?? []), rate]);
      const series = latencies.get(kind.key) ?? new Series();
      for (const ms of result.latenciesMs) series.push(ms);
      latencies.set(kind.key, series);
      report.line(
        `round ${round}`,
        `${kind.name}: ${rate.toFixed(0)} memories/s (${indexedMeanwhile} of ${stored} indexed meanwhile); server us a memory: ${cpuText(cpu, stored)}`,
      );
    }
  }
  for (const { name, key } of kinds) {
    const rate = median(rates.get(key)!);
    report.figure(`${key}_per_second`, rate);
    report.line(
      "durable",
      `${name}: ${rate.toFixed(0)} memories/s (median); a request ${report.percentiles(`${key}_ms`, latencies.get(key)!.values())}`,
    );
  }
  report.line(
    "tail",
    `index.tail_max ${size.tailMax}: that many memories fit beside those indexed meanwhile; a round stores ${size.burst}`,
  );

  // --- without end --------------------------------------------------------------------------------
  const space = "endless";
  await createSpace(appliance, space);
  const reference = new UsearchReference({
    dimensions: DIMENSIONS,
    M,
    efConstruction: EF_CONSTRUCTION,
    ef: 64,
  });
  const queries = Array.from({ length: 200 }, (_, i) =>
    recallRequest(space, { embedding: row(data.queries, i, DIMENSIONS) }),
  );
  let sent = 0;
  let referenceCount = 0;
  const refer = (end: number): void => {
    for (; referenceCount < end; referenceCount += 100)
      reference.add(data.vectors, referenceCount % vectorCount, 100);
  };
  const ratios: number[] = [];
  const recalls = new Series();
  for (let round = 1; round <= size.endlessRounds; round++) {
    // Fill the tail, and a little more: the last batches are answered when the indexer has made room.
    const room = Math.max(0, size.tailMax - (await spaceFacts(appliance, space)).tail);
    const filling = Math.ceil(room / BATCH) + 2 * BATCH_CLIENTS;
    const preparedFrom = sent + filling * BATCH;
    const prepared = Array.from({ length: size.prepared }, (_, i) =>
      rememberRequest(space, memoryJson(memory(preparedFrom + i))),
    );
    const fillFrom = sent;
    const fill = await runLoad({
      host: appliance.host,
      port: appliance.port,
      connections: BATCH_CLIENTS,
      requests: filling,
      request: (index) =>
        batchRequest(
          space,
          Array.from({ length: BATCH }, (_, i) => memoryJson(memory(fillFrom + index * BATCH + i))),
        ),
    });
    if (failures(fill) > 0) throw new Error(`memories were refused: ${JSON.stringify(fill.statuses)}`);
    sent += fill.sent * BATCH;

    const first = await spaceFacts(appliance, space);
    const before = appliance.cpu();
    const startedMs = performance.now();
    const [writes, reads] = await Promise.all([
      runLoad({
        host: appliance.host,
        port: appliance.port,
        connections: CLIENTS,
        durationMs: size.endlessMs,
        request: (index) => prepared[index % prepared.length]!,
      }),
      runLoad({
        host: appliance.host,
        port: appliance.port,
        connections: 8,
        durationMs: size.endlessMs,
        rate: RECALL_RATE,
        request: (index) => queries[index % queries.length]!,
      }),
    ]);
    const elapsedMs = performance.now() - startedMs;
    const cpu = cpuBetween(before, appliance.cpu());
    const last = await spaceFacts(appliance, space);
    if (failures(writes) + failures(reads) > 0) {
      throw new Error(
        `requests failed: ${JSON.stringify(writes.statuses)} ${JSON.stringify(reads.statuses)}`,
      );
    }
    sent += writes.sent;
    for (const ms of reads.latenciesMs) recalls.push(ms);
    const acknowledged = (writes.statuses[201]! / writes.elapsedMs) * 1000;
    const indexed = ((last.indexed - first.indexed) / elapsedMs) * 1000;

    // The same by usearch, once the appliance has nothing left to do.
    await untilIndexed(appliance, space);
    refer(first.indexed);
    const referenceFrom = referenceCount;
    const referenceStartedMs = performance.now();
    const referenceStartedSeconds = threadSeconds();
    while (performance.now() - referenceStartedMs < size.endlessMs / 2) refer(referenceCount + 100);
    const referenceInserts = referenceCount - referenceFrom;
    const theirs = (referenceInserts / (performance.now() - referenceStartedMs)) * 1000;
    const theirCpuUs = ((threadSeconds() - referenceStartedSeconds) / referenceInserts) * 1e6;
    const ourCpuUs = ((cpu.byRole["indexer"] ?? Number.NaN) / (last.indexed - first.indexed)) * 1e6;
    ratios.push(acknowledged / theirs);
    report.line(
      `endless ${round}`,
      `${acknowledged.toFixed(0)} memories/s acknowledged, ${indexed.toFixed(0)}/s indexed (graph ${first.indexed} to ${last.indexed}, tail ${first.tail} to ${last.tail}); usearch ${theirs.toFixed(0)}/s`,
    );
    report.line(
      "",
      `processor time of the inserter: ${ourCpuUs.toFixed(0)} us a vector, usearch ${theirCpuUs.toFixed(0)} us`,
    );
    report.figure(`endless_${round}_insert_cpu_us`, { ours: ourCpuUs, usearch: theirCpuUs });
    report.line(
      "",
      `recalls meanwhile, ${RECALL_RATE} a second on schedule: ${report.percentiles(`endless_${round}_recall_ms`, reads.latenciesMs)}`,
    );
    report.line("", `server us a memory: ${cpuText(cpu, writes.latenciesMs.length)}`);
  }
  const recallMs = recalls.values().toSorted();
  const recallP99 = recallMs[Math.floor(recallMs.length * 0.99)]!;

  report.target({
    name: `durable memories a second, ${CLIENTS} clients one by one`,
    figure: median(rates.get("single")!),
    unit: "",
    atLeast: 8000,
  });
  report.target({
    name: `durable memories a second, batches of ${BATCH}`,
    figure: median(rates.get("batch")!),
    unit: "",
    atLeast: 25_000,
  });
  report.target({
    name: "memories a second without end, share of raw usearch inserts",
    figure: median(ratios),
    unit: "",
    atLeast: 0.8,
  });
  report.target({ name: "recall p99 meanwhile", figure: recallP99, unit: "ms", atMost: 10 });
} finally {
  await appliance.stop();
  directory.remove();
}
report.finish();
