/**
 * How much of the evidence do words, hashed vectors and their fusion find, without a server in between?
 *
 * Expected on the three sample conversations: plain BM25 51-52 % of the evidence among the first ten, stemmed
 * 60-61; the appliance's words a little more (irregular verbs, parameters for short texts); hashed vectors
 * with the space's idf within 3 points of that; both fused at least the better of the two, and about 1.5
 * more where questions name a time. Learned vectors are simulated (cosines with noise, of stated strength):
 * what is fused must not fall below the better list by more than noise, from useless vectors to strong ones.
 *
 * Tables at the end choose each parameter on all conversations but one and report the one left out: where
 * that costs nothing against choosing on all, the parameter is not fitted to the sample.
 *
 *   bun bench/retrieval/offline.ts [--small]
 */

import { machineText } from "../../src/base/machine-text.ts";
import { Random } from "../../src/base/random.ts";
import type { VectorFamily } from "../../src/embedding/embedder.ts";
import { HashEmbedder } from "../../src/embedding/hash-embedder.ts";
import { FusionScratch, fuse } from "../../src/engine/recall/fuse.ts";
import { B_DEFAULT, K1_DEFAULT } from "../../src/index/bm25.ts";
import { closeness, timesMentioned } from "../../src/language/time-mention.ts";
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
import { NaiveWordIndex } from "./naive-word-index.ts";
import { PlainBm25 } from "./plain-bm25.ts";

const SEED = 20_261_120;
const CANDIDATES = 100;
const RANKING_LENGTH = 20;

type Scored = { readonly scores: Float32Array; readonly queryMass: number };
/** For every conversation, for every question: a score a turn. */
type Lists<T> = readonly (readonly T[])[];

if (import.meta.main) main(process.argv.includes("--small"));

/** Runs the bench; empty where there is nothing to measure with. */
export function main(isSmall: boolean): Report[] {
  const missing = missingConversations();
  if (missing !== undefined) {
    console.log(`skipped: ${missing}`);
    return [];
  }
  const loaded = loadConversations();
  const conversations = isSmall
    ? loaded.slice(0, 1).map((one) => ({ ...one, questions: one.questions.slice(0, 40) }))
    : loaded;
  const turnCount = conversations.reduce((sum, { turns }) => sum + turns.length, 0);
  const questionCount = conversations.reduce((sum, { questions }) => sum + questions.length, 0);
  console.log(machineText());
  console.log(
    `${conversations.length} conversations, ${turnCount} turns, ${questionCount} questions; seed ${SEED}, k1 ${K1_DEFAULT}, b ${B_DEFAULT}, ${CANDIDATES} candidates a list`,
  );

  const indexes = conversations.map(({ turns }) => new NaiveWordIndex(turns.map(({ content }) => content)));
  const searchAll = (k1: number, b: number): Lists<Scored> =>
    conversations.map(({ questions }, i) => questions.map(({ text }) => indexes[i]!.search(text, k1, b)));
  const words = searchAll(K1_DEFAULT, B_DEFAULT);
  const hashed = hashedCosines(conversations, indexes, true);
  const hashedAlone = hashedCosines(conversations, indexes, false);
  const near = closenessOfTurns(conversations);

  const plain = conversations.map(
    ({ turns }) =>
      new PlainBm25(
        turns.map(({ content }) => content),
        { isStemmed: false },
      ),
  );
  const stemmed = conversations.map(
    ({ turns }) =>
      new PlainBm25(
        turns.map(({ content }) => content),
        { isStemmed: true },
      ),
  );
  const rankStemmed = memoised(conversations, (c, q) =>
    rankingOf(stemmed[c]!.scores(conversations[c]!.questions[q]!.text), RANKING_LENGTH),
  );
  const hybrid = memoised(conversations, fusedRanker(words, hashed, "hashed", near));

  const reports = [
    measure("independent BM25, plain", conversations, (c, q) =>
      rankingOf(plain[c]!.scores(conversations[c]!.questions[q]!.text), RANKING_LENGTH),
    ),
    measure("independent BM25, stemmed, stop words", conversations, rankStemmed),
    measure("words", conversations, (c, q) => rankingOf(words[c]![q]!.scores, RANKING_LENGTH)),
    measure("hashed vectors, no idf", conversations, (c, q) =>
      rankingOf(hashedAlone[c]![q]!, RANKING_LENGTH),
    ),
    measure("hashed vectors, idf of the space", conversations, (c, q) =>
      rankingOf(hashed[c]![q]!, RANKING_LENGTH),
    ),
    measure("fused, times left out", conversations, fusedRanker(words, hashed, "hashed", undefined)),
    measure("hybrid: fused, with times", conversations, hybrid),
  ];
  printReports(conversations, reports);
  const { gain, error } = pairedGain(conversations, hybrid, rankStemmed);
  console.log(
    `hybrid over stemmed BM25, question by question: ${percent(gain)} ± ${percent(error)} points of recall@10`,
  );

  console.log("\nfusion with simulated learned vectors (times left out)");
  printReports(conversations, simulatedReports(conversations, words, plain, isSmall));

  if (!isSmall) printLeftOut(conversations, searchAll, hashed);
  return reports;
}

function hashedCosines(
  conversations: readonly Conversation[],
  indexes: readonly NaiveWordIndex[],
  usesIdf: boolean,
): Lists<Float32Array> {
  const embedder = new HashEmbedder();
  return conversations.map(({ turns, questions }, i) => {
    const memories = turns.map(({ content }) => embedder.embedMemory(content, "english"));
    const idf = usesIdf ? (lo: number, hi: number): number => indexes[i]!.idf(lo, hi) : undefined;
    return questions.map(({ text }) => {
      const query = embedder.embedQuery(text, "english", idf);
      return Float32Array.from(memories, (memory) => dot(query, memory));
    });
  });
}

function closenessOfTurns(conversations: readonly Conversation[]): Lists<Float32Array | undefined> {
  return conversations.map(({ turns, questions }) =>
    questions.map(({ text }) => {
      const spans = timesMentioned(text, "english");
      return spans.length === 0
        ? undefined
        : Float32Array.from(turns, (turn) => closeness(spans, turn.timestampMs));
    }),
  );
}

/** For every question the fused score of each turn, times included; 0 for what neither list found. */
export function fusedScores(conversations: readonly Conversation[]): Lists<Float32Array> {
  const indexes = conversations.map(({ turns }) => new NaiveWordIndex(turns.map(({ content }) => content)));
  const words = conversations.map(({ questions }, c) =>
    questions.map(({ text }) => indexes[c]!.search(text, K1_DEFAULT, B_DEFAULT)),
  );
  const hashed = hashedCosines(conversations, indexes, true);
  const fused = fuser(words, hashed, "hashed", closenessOfTurns(conversations));
  return conversations.map(({ turns, questions }, c) =>
    questions.map((_, q) => {
      const { slots, scores } = fused(c, q);
      const ofTurns = new Float32Array(turns.length);
      for (const [i, slot] of slots.entries()) ofTurns[slot] = scores[i]!;
      return ofTurns;
    }),
  );
}

/** The candidates of both lists, fused as a recall fuses them and ranked. */
function fusedRanker(...lists: Parameters<typeof fuser>): Ranker {
  const fused = fuser(...lists);
  return (c, q) => {
    const { slots, scores } = fused(c, q);
    return rankingOf(scores, RANKING_LENGTH).map((position) => slots[position]!);
  };
}

function fuser(
  words: Lists<Scored>,
  cosines: Lists<Float32Array>,
  family: VectorFamily,
  near: Lists<Float32Array | undefined> | undefined,
  k1: number = K1_DEFAULT,
): (c: number, q: number) => { readonly slots: readonly number[]; readonly scores: Float32Array } {
  const scratch = new FusionScratch();
  return (c, q) => {
    const { scores: bm25, queryMass } = words[c]![q]!;
    const similar = cosines[c]![q]!;
    const slots = [...new Set([...rankingOf(bm25, CANDIDATES), ...nearest(similar, CANDIDATES)])];
    const times = near?.[c]?.[q];
    const fused = new Float32Array(slots.length);
    fuse(
      {
        count: slots.length,
        bm25: Float32Array.from(slots, (slot) => bm25[slot]!),
        cosines: Float32Array.from(slots, (slot) => similar[slot]!),
        closeness: times === undefined ? undefined : Float32Array.from(slots, (slot) => times[slot]!),
      },
      { family, queryMass, k1 },
      fused,
      scratch,
    );
    return { slots, scores: fused };
  };
}

/** Cosines as a model might give: noise, a part that goes with the words, and a lift for the evidence. */
function simulatedReports(
  conversations: readonly Conversation[],
  words: Lists<Scored>,
  plain: readonly PlainBm25[],
  isSmall: boolean,
): Report[] {
  const random = new Random(SEED);
  const crippled: Lists<Scored> = conversations.map(({ questions }, c) =>
    questions.map(({ text }, q) => {
      const kept = text.split(" ").filter(() => random.below(4) === 0);
      return { ...words[c]![q]!, scores: Float32Array.from(plain[c]!.scores(kept.join(" "))) };
    }),
  );
  const reports: Report[] = [];
  for (const lift of isSmall ? [2.2] : [0, 0.5, 1, 1.5, 2.2, 3]) {
    const cosines = conversations.map(({ turns, questions }, c) =>
      questions.map(({ evidence }, q) => {
        const bm25 = words[c]![q]!.scores;
        const best = Math.max(1e-9, ...bm25);
        const answers = new Set(evidence);
        return Float32Array.from(turns, (_, turn) => {
          const noise = 0.95 * random.gaussian() + 0.9 * (bm25[turn]! / best);
          return 0.55 + 0.06 * (noise + (answers.has(turn) ? lift + 0.8 * random.gaussian() : 0));
        });
      }),
    );
    for (const [name, list] of [
      ["words", words],
      ["crippled words", crippled],
    ] as const) {
      const alone = measure("", conversations, (c, q) => rankingOf(list[c]![q]!.scores, RANKING_LENGTH)).all
        .r10;
      const vectors = measure("", conversations, (c, q) => rankingOf(cosines[c]![q]!, RANKING_LENGTH)).all
        .r10;
      const label = `${name} ${percent(alone, 4)}, vectors ${percent(vectors, 4)}: fused`;
      reports.push(measure(label, conversations, fusedRanker(list, cosines, "learned", undefined)));
    }
  }
  return reports;
}

/** Chooses k1 and b on all conversations but one, and measures on that one. */
function printLeftOut(
  conversations: readonly Conversation[],
  searchAll: (k1: number, b: number) => Lists<Scored>,
  hashed: Lists<Float32Array>,
): void {
  const settings = [0.6, 0.9, 1.2, 1.5].flatMap((k1) => [0.2, 0.4, 0.6, 0.75].map((b) => ({ k1, b })));
  const reports = settings.map(({ k1, b }) => {
    const words = searchAll(k1, b);
    return measure(`k1 ${k1}, b ${b}`, conversations, fusedRanker(words, hashed, "hashed", undefined, k1));
  });
  const used = reports[settings.findIndex(({ k1, b }) => k1 === K1_DEFAULT && b === B_DEFAULT)]!;
  console.log("\nk1 and b chosen without the conversation they are measured on (fused, times left out)");
  conversations.forEach(({ name }, left) => {
    const chosen = reports.reduce((best, report) =>
      withoutOne(report, left) > withoutOne(best, left) ? report : best,
    );
    const own = reports.reduce((best, report) =>
      report.each[left]!.r10 > best.each[left]!.r10 ? report : best,
    );
    console.log(
      `${name}: chosen ${chosen.name}, recall@10 ${percent(chosen.each[left]!.r10)}; as set ${percent(used.each[left]!.r10)}; best for itself ${percent(own.each[left]!.r10)}`,
    );
  });
}

function withoutOne(report: Report, left: number): number {
  let sum = 0;
  let count = 0;
  report.each.forEach((part, i) => {
    if (i === left) return;
    sum += part.r10 * part.count;
    count += part.count;
  });
  return sum / Math.max(1, count);
}

function memoised(conversations: readonly Conversation[], rank: Ranker): Ranker {
  const rankings = conversations.map(({ questions }, c) => questions.map((_, q) => rank(c, q)));
  return (c, q) => rankings[c]![q]!;
}

function nearest(cosines: Float32Array, limit: number): number[] {
  return [...cosines.keys()].sort((a, b) => cosines[b]! - cosines[a]! || a - b).slice(0, limit);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
