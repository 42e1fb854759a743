/**
 * How soon after its start does the appliance answer: after a clean stop, and after a kill -9?
 *
 * Expected: the executable is up in 20 ms, its threads in 150 ms; a checkpoint of 100,000 memories is 0.5 GB,
 * which four threads read from the page cache in 150 ms; ids and postings are derived from it in 100 ms. So 0.4 s.
 * After a kill the 10,000 records behind the checkpoint are replayed, 10 us each: 0.1 s more. Their vectors wait in
 * the tail, which recalls scan exactly, so nothing has to wait for the graph.
 *
 * The clock starts before the process is spawned and stops when a recall by vector and one by words were answered
 * right: each asks for a memory known to be there, the last ones stored among them. Files are in the page
 * cache, as after a restart of the service; a start of the machine reads them from the disk first.
 *
 *   bun bench/http/start.bench.ts [--small] [--seed N] [--json FILE] [--binary FILE]
 */

import { runLoad } from "../../src/operate/load/http-load.ts";
import { ZipfText } from "../../src/operate/load/zipf-text.ts";
import { Appliance, applianceCommand, benchDirectory, type CpuUse } from "../support/appliance.ts";
import { CLUSTERED_SIGMA, clustered, row } from "../support/clustered.ts";
import { recalledIds, recallRequest, spaceFacts, store, untilIndexed } from "../support/memory-requests.ts";
import { benchArguments, median, Report } from "../support/report.ts";

const SPACE = "start";
const DIMENSIONS = 768;
const POLL_MS = 2;
const ANSWER_MS_MAX = 60_000;

const given = benchArguments();
const { isSmall, seed } = given;
const size = isSmall
  ? { memories: 3000, after: 500, rounds: 2 }
  : { memories: 100_000, after: 10_000, rounds: 5 };

const { command, text: server } = applianceCommand(given.binary);
const report = new Report({
  name: "http/start",
  arguments: given,
  server,
  parameters: {
    memories: size.memories,
    written_after_checkpoint: size.after,
    dimensions: DIMENSIONS,
    sigma: CLUSTERED_SIGMA,
    words: "10-25",
    rounds: size.rounds,
  },
});

const total = size.memories + size.after;
const data = clustered({ seed, dimensions: DIMENSIONS, count: total, queries: 0 });
const texts = new ZipfText(seed);
const vector = (index: number): Float32Array => row(data.vectors, index, DIMENSIONS);
/** A word that one memory alone has, so that a recall by words has one right answer. */
const memory = (index: number) => ({
  id: String(index),
  content: `${texts.text(10, 25)} mark${index}x`,
  embedding: vector(index),
});

const directory = benchDirectory();
let appliance = await Appliance.start({ directory: directory.path, command });
const port = appliance.port;

/** Starts it again on the same data. @returns ms from before the spawn to each first right answer */
async function firstAnswers(asked: number): Promise<{ byVector: number; byWords: number; cpu: CpuUse }> {
  const startedMs = performance.now();
  appliance = Appliance.spawn({ directory: directory.path, command, port });
  const byVector = await firstAnswer(
    startedMs,
    recallRequest(SPACE, { embedding: vector(asked), limit: 3 }),
    asked,
  );
  const byWords = await firstAnswer(
    startedMs,
    recallRequest(SPACE, { query: `mark${asked}x`, mode: "words", limit: 3 }),
    asked,
  );
  return { byVector, byWords, cpu: appliance.cpu() };
}

async function firstAnswer(startedMs: number, request: Uint8Array, expected: number): Promise<number> {
  for (;;) {
    let status = 0;
    let ids: string[] = [];
    await runLoad({
      host: appliance.host,
      port,
      connections: 1,
      requests: 1,
      request: () => request,
      onReply: (_, replied, body) => {
        status = replied;
        if (replied === 200) ids = recalledIds(body);
      },
    });
    const tookMs = performance.now() - startedMs;
    if (status === 200) {
      if (ids[0] !== String(expected))
        throw new Error(`memory ${expected} was not found after the start: ${ids.join()}`);
      return tookMs;
    }
    // 0: it does not listen yet; 503: it recovers.
    if (status !== 0 && status !== 503) throw new Error(`A recall was answered ${status}`);
    if (appliance.hasExited || tookMs > ANSWER_MS_MAX)
      throw new Error(`The appliance did not start:\n${appliance.output}`);
    await Bun.sleep(POLL_MS);
  }
}

/** Stops or kills what runs, and measures the start after it, again and again. */
async function measure(
  label: string,
  key: string,
  end: () => Promise<void>,
  asked: (round: number) => number,
): Promise<number> {
  const tookMs: number[] = [];
  for (let round = 0; round < size.rounds; round++) {
    await end();
    const { byVector, byWords, cpu } = await firstAnswers(asked(round));
    await appliance.untilServing();
    const both = Math.max(byVector, byWords);
    tookMs.push(both);
    const facts = await spaceFacts(appliance, SPACE);
    const how = /[^\n]*memories loaded[^\n]*/.exec(appliance.output)?.[0].replace(/^\S+ info /, "") ?? "";
    // Processor time says what the start costs where other guests of the machine make it wait.
    const spent = Object.entries(cpu.byRole)
      .sort((x, y) => y[1] - x[1])
      .map(([role, seconds]) => `${role} ${(seconds * 1000).toFixed(0)}`);
    report.line(
      label,
      `by vector ${byVector.toFixed(0)} ms, by words ${byWords.toFixed(0)} ms; processor ${(cpu.totalSeconds * 1000).toFixed(0)} ms (${spent.join(", ")}); ${how}; tail ${facts.tail}`,
    );
  }
  report.figure(`${key}_ms`, { median: median(tookMs), max: Math.max(...tookMs) });
  return median(tookMs);
}

try {
  await store(appliance, SPACE, size.memories, memory);
  await untilIndexed(appliance, SPACE);
  const clean = await measure(
    "clean stop",
    "clean",
    () => appliance.stop(),
    (round) => (round * 7919) % size.memories,
  );

  // A clean stop once more, so that the checkpoint is as fresh as can be; then the writes behind it.
  await appliance.stop();
  appliance = await Appliance.start({ directory: directory.path, command, port });
  await store(appliance, SPACE, size.after, (index) => memory(size.memories + index));
  const facts = await spaceFacts(appliance, SPACE);
  if (facts.memories !== total)
    throw new Error(`${total} memories were acknowledged, ${facts.memories} are there`);
  const killed = await measure(
    "kill -9",
    "killed",
    () => appliance.kill(),
    (round) => total - 1 - round,
  );
  const after = await spaceFacts(appliance, SPACE);
  if (after.memories !== total)
    throw new Error(`${total} memories were acknowledged, ${after.memories} came back`);

  report.target({
    name: `first answers with ${size.memories} memories after a clean stop`,
    figure: clean / 1000,
    unit: "s",
    atMost: 0.5,
  });
  report.target({
    name: `first answers after kill -9, ${size.after} writes behind the checkpoint`,
    figure: killed / 1000,
    unit: "s",
    atMost: 2,
  });
} finally {
  await appliance.kill();
  directory.remove();
}
report.finish();
