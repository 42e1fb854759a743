/**
 * How much of the evidence in real conversations does the appliance find, asked over HTTP?
 *
 * Each conversation becomes a memory space of its own; every question is asked with mode=hybrid, vector and
 * words. Beside them stands an independent BM25, plain and stemmed (`plain-bm25.ts`), on the same texts.
 *
 * Expected, as offline (`offline.ts`): stemmed BM25 60-61 % of the evidence among the first ten, vectors alone
 * about the same, hybrid 64-66. What differs from there is quantisation and the graph, at most half a point.
 *
 *   bun bench/retrieval/retrieval.bench.ts [--small] [--url http://127.0.0.1:7432] [--key KEY] [--keep]
 *
 * Without --url it starts dist/engram-appliance on a free port with an empty directory. --keep leaves the
 * spaces where they are.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { machineText } from "../../src/base/machine-text.ts";
import { SPACE_MEDIUM_FROM } from "../../src/layout/metric-codes.ts";
import { type Conversation, loadConversations, missingConversations } from "./conversations.ts";
import {
  measure,
  pairedGain,
  percent,
  printReports,
  type Ranker,
  type Report,
  rankingOf,
} from "./measures.ts";
import { PlainBm25 } from "./plain-bm25.ts";

const LIMIT = 20;
const BATCH = 500;
/** What is asked, and how: both off is what vectors, words and times find by themselves. */
const ASKED = [
  { name: "mode=hybrid", mode: "hybrid" },
  { name: "mode=hybrid, activation off", mode: "hybrid", activation_hops: 0 },
  { name: "mode=hybrid, meaning off", mode: "hybrid", meaning: false },
  { name: "mode=hybrid, both off", mode: "hybrid", activation_hops: 0, meaning: false },
  { name: "mode=spreading", mode: "spreading" },
  { name: "mode=vector", mode: "vector" },
  { name: "mode=words", mode: "words" },
] as const;
const [ON, OFF, MEANING_OFF] = ASKED;
/** The first of them again, just before the spaces are consolidated and just after. */
const BEFORE_CONCEPTS = "mode=hybrid, before concepts";
const WITH_CONCEPTS = "mode=hybrid, with concepts";
const CONSOLIDATE_MS_MAX = 30_000;
const START_MS_MAX = 30_000;

type Target = { readonly url: string; readonly key?: string | undefined };

if (import.meta.main) {
  const value = (name: string): string | undefined => {
    const at = process.argv.indexOf(name);
    return at < 0 ? undefined : process.argv[at + 1];
  };
  await main({
    isSmall: process.argv.includes("--small"),
    url: value("--url"),
    key: value("--key"),
    keeps: process.argv.includes("--keep"),
  });
}

/** Runs the bench; undefined where it was skipped. */
export async function main(options: {
  readonly isSmall: boolean;
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly keeps?: boolean;
}): Promise<Report[] | undefined> {
  const missing = missingConversations();
  if (missing !== undefined) {
    console.log(`skipped: ${missing}`);
    return undefined;
  }
  if (options.url !== undefined) return await run({ url: options.url, key: options.key }, options);
  const binary = resolve(import.meta.dir, "../../dist/engram-appliance");
  if (!existsSync(binary)) {
    console.log(`skipped: ${binary} is not built; run: bun run build`);
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), "retrieval-"));
  const port = freePort();
  const appliance = Bun.spawn([binary, "serve", "--data", directory, "--port", String(port)], {
    stdout: "ignore",
    stderr: "inherit",
    // When it consolidates is the bench's to say.
    env: { ...process.env, ENGRAM_CONSOLIDATION__ENABLED: "false" },
  });
  try {
    const target = { url: `http://127.0.0.1:${port}` };
    await ready(target, appliance.exited);
    return await run(target, options);
  } finally {
    appliance.kill("SIGTERM");
    await appliance.exited;
    rmSync(directory, { recursive: true, force: true });
  }
}

async function run(
  target: Target,
  { isSmall, keeps = false }: { readonly isSmall: boolean; readonly keeps?: boolean },
): Promise<Report[]> {
  const loaded = loadConversations();
  const conversations = isSmall
    ? loaded.slice(0, 1).map((one) => ({ ...one, questions: one.questions.slice(0, 40) }))
    : loaded;
  console.log(machineText());
  const spaces = conversations.map(({ name }) => `retrieval-${name}-${process.pid}`);
  try {
    for (const [i, conversation] of conversations.entries()) await store(target, spaces[i]!, conversation);
    await settled(target, spaces);

    const rankings = new Map<string, number[][][]>();
    for (const asked of ASKED) {
      const started = performance.now();
      const ofMode: number[][][] = [];
      for (const [i, conversation] of conversations.entries()) {
        ofMode.push(await askAll(target, spaces[i]!, conversation, asked));
      }
      rankings.set(asked.name, ofMode);
      const count = conversations.reduce((sum, { questions }) => sum + questions.length, 0);
      console.log(
        `${asked.name}: ${count} questions, ${((performance.now() - started) / count).toFixed(2)} ms each, one by one`,
      );
    }
    const again = (): Promise<number[][][]> =>
      Promise.all(conversations.map((one, i) => askAll(target, spaces[i]!, one, ON)));
    rankings.set(BEFORE_CONCEPTS, await again());
    await consolidate(target, spaces);
    rankings.set(WITH_CONCEPTS, await again());
    return report(conversations, rankings);
  } finally {
    if (!keeps) {
      for (const space of spaces)
        await call(target, "DELETE", `/api/v1/spaces/${space}`).catch(() => undefined);
    }
  }
}

function report(
  conversations: readonly Conversation[],
  rankings: ReadonlyMap<string, number[][][]>,
): Report[] {
  const yardstick = (isStemmed: boolean): Ranker => {
    const indexes = conversations.map(
      ({ turns }) =>
        new PlainBm25(
          turns.map(({ content }) => content),
          { isStemmed },
        ),
    );
    const found = conversations.map(({ questions }, c) =>
      questions.map(({ text }) => rankingOf(indexes[c]!.scores(text), LIMIT)),
    );
    return (c, q) => found[c]![q]!;
  };
  const stemmed = yardstick(true);
  const answered =
    (mode: string): Ranker =>
    (c, q) =>
      rankings.get(mode)![c]![q]!;
  const reports = [
    measure("independent BM25, plain", conversations, yardstick(false)),
    measure("independent BM25, stemmed, stop words", conversations, stemmed),
    ...[...rankings.keys()].map((name) => measure(`appliance, ${name}`, conversations, answered(name))),
  ];
  printReports(conversations, reports);
  const { gain, error } = pairedGain(conversations, answered(ON.name), stemmed);
  console.log(
    `hybrid over stemmed BM25, question by question: ${percent(gain)} ± ${percent(error)} points of recall@10`,
  );
  for (const [what, off] of [
    ["activation", OFF],
    ["meaning", MEANING_OFF],
  ] as const) {
    printByCategory(what, conversations, answered(ON.name), answered(off.name));
  }
  const concepts = pairedGain(conversations, answered(WITH_CONCEPTS), answered(BEFORE_CONCEPTS));
  console.log(
    `with concepts against before: ${percent(concepts.gain)} ± ${percent(concepts.error)} points of recall@10`,
  );
  return reports;
}

/** What a part of recall earns, over all questions and by their category. */
function printByCategory(
  what: string,
  conversations: readonly Conversation[],
  on: Ranker,
  off: Ranker,
): void {
  const categories = new Set(
    conversations.flatMap(({ questions }) => questions.map(({ category }) => category)),
  );
  for (const wanted of [undefined, ...categories]) {
    const kept = conversations.map(({ questions }) =>
      questions.flatMap(({ category }, index) =>
        wanted === undefined || category === wanted ? [index] : [],
      ),
    );
    const some = conversations.map((one, c) => ({
      ...one,
      questions: kept[c]!.map((q) => one.questions[q]!),
    }));
    const [onSome, offSome]: Ranker[] = [on, off].map((rank) => (c, q) => rank(c, kept[c]![q]!));
    const [with_, without] = [onSome!, offSome!].map((rank) => measure("", some, rank).all);
    const { gain, error } = pairedGain(some, onSome!, offSome!);
    console.log(
      `${what} on against off, ${(wanted ?? "all questions").padEnd(13)} ${String(with_!.count).padStart(5)}: recall@10 ${percent(with_!.r10)} against ${percent(without!.r10)}, ${percent(gain)} ± ${percent(error)} points`,
    );
  }
}

async function store(target: Target, space: string, { turns }: Conversation): Promise<void> {
  for (let first = 0; first < turns.length; first += BATCH) {
    const memories = turns
      .slice(first, first + BATCH)
      .map(({ id, content, timestampMs }) => ({ id, content, timestamp: timestampMs }));
    const { status, body } = await call(
      target,
      "POST",
      "/api/v1/memories/remember/batch",
      { memories },
      space,
    );
    const failed = (body as { failed?: number }).failed;
    if (status >= 300 || failed !== 0) {
      throw new Error(`Cannot store ${space}: ${status} ${JSON.stringify(body).slice(0, 500)}`);
    }
  }
}

/** Waits until vectors are in their graph, memories bound, and meaning learned, so that these are what is measured. */
async function settled(target: Target, spaces: readonly string[]): Promise<void> {
  const deadline = Date.now() + START_MS_MAX;
  for (const space of spaces) {
    for (;;) {
      const { body } = await call(target, "GET", `/api/v1/spaces/${space}`);
      const { tail, memories, unassociated, meaning } = body as {
        tail: number;
        memories: number;
        unassociated: number;
        meaning?: { learned_from: number };
      };
      // A space of another embedder, or one told not to learn, never does: then it ends with the deadline.
      const isIndexed = tail === 0 || memories < SPACE_MEDIUM_FROM;
      if (isIndexed && unassociated === 0 && meaning?.learned_from === memories) break;
      if (Date.now() > deadline) {
        console.log(
          `${space}: of ${memories} memories ${tail} are outside the graph, ${unassociated} not bound, ${memories - (meaning?.learned_from ?? 0)} not learned from`,
        );
        break;
      }
      await Bun.sleep(50);
    }
  }
}

async function consolidate(target: Target, spaces: readonly string[]): Promise<void> {
  for (const space of spaces) {
    const asked = { wait_ms: CONSOLIDATE_MS_MAX };
    const { status, body } = await call(target, "POST", "/api/v1/consolidate", asked, space);
    if (status !== 200) throw new Error(`Cannot consolidate ${space}: ${status} ${JSON.stringify(body)}`);
    const { concepts, replayed } = body as { concepts: { formed: number }; replayed: number };
    console.log(`${space}: ${concepts.formed} concepts of ${replayed} memories replayed`);
  }
}

async function askAll(
  target: Target,
  space: string,
  { turns, questions }: Conversation,
  how: (typeof ASKED)[number],
): Promise<number[][]> {
  const positions = new Map(turns.map(({ id }, position) => [id, position]));
  const rankings: number[][] = [];
  for (const { text } of questions) {
    const { name, ...parameters } = how;
    const asked = { query: text, limit: LIMIT, ...parameters };
    const { status, body } = await call(target, "POST", "/api/v1/memories/recall", asked, space);
    if (status !== 200)
      throw new Error(`Cannot recall in ${space}: ${status} ${JSON.stringify(body).slice(0, 500)}`);
    const { memories, mode: used } = body as { memories: { id: string }[]; mode: string };
    if (used !== how.mode)
      throw new Error(`${name} was asked for, ${used} was used: ${JSON.stringify(body).slice(0, 300)}`);
    rankings.push(memories.map(({ id }) => positions.get(id)!));
  }
  return rankings;
}

async function call(
  { url, key }: Target,
  method: string,
  path: string,
  body?: unknown,
  space?: string,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(space === undefined ? {} : { "x-memory-space": space }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
}

async function ready(target: Target, exited: Promise<number>): Promise<void> {
  let exitCode: number | undefined;
  void exited.then((code) => {
    exitCode = code;
  });
  for (const deadline = Date.now() + START_MS_MAX; Date.now() < deadline; await Bun.sleep(50)) {
    if (exitCode !== undefined) throw new Error(`The appliance ended with ${exitCode} before it was ready`);
    const isReady = await fetch(`${target.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
  }
  throw new Error(`The appliance was not ready within ${START_MS_MAX} ms`);
}

function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  void server.stop(true);
  return port!;
}
