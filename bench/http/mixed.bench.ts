/**
 * How many operations a second does a conversation-like mix sustain: text in, embedded by the hash embedder?
 *
 * Expected: a recall by words and vectors costs some 0.5 ms (embedding 0.03, graph at ef 102 0.35, postings of
 * 3-8 words 0.1), a remember 0.1 ms and then 0.35 ms of the indexer: 0.7 × 0.5 + 0.3 × 0.45 = 0.5 ms an operation.
 * Two cores, less what the client takes: about 3,500 a second. The tail stays short, since 1,000 memories a
 * second are a third of what one indexer does.
 *
 *   bun bench/http/mixed.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE]
 */
import { Random } from "../../src/base/random.ts";
import { runLoad, Series } from "../../src/operate/load/http-load.ts";
import { VOCABULARY_WORDS, ZipfText } from "../../src/operate/load/zipf-text.ts";
import { Appliance, applianceCommand, benchDirectory, cpuBetween, cpuText } from "../support/appliance.ts";
import {
  memoryJson,
  recallRequest,
  rememberRequest,
  spaceFacts,
  store,
  untilIndexed,
} from "../support/memory-requests.ts";
import { benchArguments, mebibytes, Report } from "../support/report.ts";

const SPACE = "mixed";
const CLIENTS = 32;
const RECALL_SHARE = 0.7;
const SAMPLE_MS = 1000;
const TAIL_MAX = 8192;

const given = benchArguments();
const { isSmall, seed } = given;
const size = isSmall
  ? { memories: 3000, durationMs: 2000, prepared: 4000 }
  : { memories: 50_000, durationMs: 60_000, prepared: 100_000 };

const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "http/mixed",
  arguments: given,
  server,
  parameters: {
    memories: size.memories,
    vocabulary: VOCABULARY_WORDS,
    words: "10-25",
    words_asked: "3-8",
    recall_share: RECALL_SHARE,
    clients: CLIENTS,
    seconds: size.durationMs / 1000,
    embedder: "hash",
    mode: "hybrid",
  },
});

const texts = new ZipfText(seed);
const random = new Random(seed);
const directory = benchDirectory();
const appliance = await Appliance.start({
  directory: directory.path,
  command,
  settings: { "index.tail_max": String(TAIL_MAX) },
});
try {
  const startedMs = performance.now();
  await store(appliance, SPACE, size.memories, () => ({ content: texts.text(10, 25) }));
  await untilIndexed(appliance, SPACE);
  report.line(
    "load",
    `${size.memories} memories stored and indexed in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
  );

  // Remembers are new each time by their id, so requests may come round again.
  const isRecall = new Uint8Array(size.prepared);
  const requests = Array.from({ length: size.prepared }, (_, index) => {
    isRecall[index] = random.float() < RECALL_SHARE ? 1 : 0;
    return isRecall[index] === 1
      ? recallRequest(SPACE, { query: texts.text(3, 8) })
      : rememberRequest(SPACE, memoryJson({ content: texts.text(10, 25) }));
  });

  const recallMs = new Series();
  const rememberMs = new Series();
  const perSecond: number[] = [];
  let tailMaxSeen = 0;
  let remembered = 0;
  let failed = 0;
  let answered = 0;
  let isOver = false;
  const sampling = (async () => {
    let countBefore = 0;
    let msBefore = performance.now();
    while (!isOver) {
      await Bun.sleep(Math.min(SAMPLE_MS, size.durationMs / 4));
      const nowMs = performance.now();
      if (!isOver) perSecond.push(((answered - countBefore) / (nowMs - msBefore)) * 1000);
      countBefore = answered;
      msBefore = nowMs;
      tailMaxSeen = Math.max(tailMaxSeen, (await spaceFacts(appliance, SPACE)).tail);
    }
  })();
  const before = appliance.cpu();
  const clientBefore = process.cpuUsage();
  const result = await runLoad({
    host: appliance.host,
    port: appliance.port,
    connections: CLIENTS,
    durationMs: size.durationMs,
    request: (index) => requests[index % requests.length]!,
    onReply: (index, status, _body, latencyMs) => {
      answered += 1;
      if (isRecall[index % requests.length] === 1) {
        recallMs.push(latencyMs);
        if (status !== 200) failed += 1;
      } else {
        rememberMs.push(latencyMs);
        if (status === 201) remembered += 1;
        else failed += 1;
      }
    },
  });
  isOver = true;
  const cpu = cpuBetween(before, appliance.cpu());
  const client = process.cpuUsage(clientBefore);
  await sampling;
  failed += result.statuses[0] ?? 0;
  const facts = await spaceFacts(appliance, SPACE);
  if (facts.memories !== size.memories + remembered) {
    throw new Error(`${size.memories + remembered} memories were acknowledged, ${facts.memories} are there`);
  }
  const operations = result.latenciesMs.length;
  report.line(
    "mix",
    `${result.perSecond.toFixed(0)} operations/s, ${failed} failed; slowest of ${perSecond.length} seconds ${Math.min(...perSecond).toFixed(0)}`,
  );
  report.line("recall", report.percentiles("recall_ms", recallMs.values()));
  report.line("remember", report.percentiles("remember_ms", rememberMs.values()));
  report.line("tail", `at most ${tailMaxSeen}, at the end ${facts.tail}; ${facts.memories} memories`);
  report.line(
    "server us",
    `an operation: ${cpuText(cpu, operations)}; client ${((client.user + client.system) / operations).toFixed(1)}`,
  );
  report.line("memory", `${mebibytes(appliance.resident().totalBytes)} resident`);
  report.figure("operations_per_second", result.perSecond);

  report.target({
    name: "operations a second, text in, 70 % recall",
    figure: result.perSecond,
    unit: "",
    atLeast: 3000,
  });
  report.target({ name: "operations that failed", figure: failed, unit: "", atMost: 0 });
  report.target({
    name: "longest unindexed tail (index.tail_max)",
    figure: tailMaxSeen,
    unit: "",
    atMost: TAIL_MAX + CLIENTS,
  });
} finally {
  await appliance.stop();
  directory.remove();
}
report.finish();
