/**
 * How much more of the evidence is found with what the words of a text were learned to mean, without a server?
 *
 * Each conversation, and Perl's explanations of its messages, is learned from by itself, as a space would. Expected:
 * meaning alone 5 points over hashed vectors on the conversations and about the same on the messages; fused with
 * words and hashed vectors 2 to 3 points over these two, and 1 to 2 on the messages. With the memories in a
 * random order (neighbours say nothing) it must not fall below what is found without it by more than noise.
 *
 * The last table chooses dimensions and share on all texts but one and reports the one left out.
 *
 *   bun bench/retrieval/meaning.ts [--small]
 */

import { machineText } from "../../src/base/machine-text.ts";
import { Random } from "../../src/base/random.ts";
import { learnMeaningAtOnce } from "../../src/cognition/meaning/learn.ts";
import { type FoldedTerm, foldText, meaningShare } from "../../src/cognition/meaning/meaning.ts";
import { NATIVE_KERNELS } from "../../src/cognition/meaning/native-kernels.ts";
import { TextMatrixBuilder } from "../../src/cognition/meaning/text-matrix.ts";
import { HashEmbedder } from "../../src/embedding/hash-embedder.ts";
import { FusionScratch, fuse } from "../../src/engine/recall/fuse.ts";
import { B_DEFAULT, inverseDocumentFrequency, K1_DEFAULT } from "../../src/index/bm25.ts";
import { analyse } from "../../src/language/analyse.ts";
import { TermBuffer } from "../../src/language/term-buffer.ts";
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
import { loadPerlMessages, missingPerlMessages } from "./perl-messages.ts";

const SEED = 20_261_125;
const DIMENSIONS_MAX = 128;
const CANDIDATES = 100;
const RANKING_LENGTH = 20;

/** What a question has of every turn. */
type Scores = {
  readonly bm25: Float32Array;
  readonly queryMass: number;
  readonly cosines: Float32Array;
};
type Meaning = { readonly share: number; readonly cosines: readonly Float32Array[] };

if (import.meta.main) main(process.argv.includes("--small"));

/** Runs the bench; empty where there is nothing to measure with. */
export function main(isSmall: boolean): Report[] {
  const texts: Conversation[] = [];
  const withoutConversations = missingConversations();
  const withoutMessages = missingPerlMessages();
  if (withoutConversations === undefined) texts.push(...loadConversations());
  else console.log(`conversations skipped: ${withoutConversations}`);
  if (withoutMessages === undefined) texts.push(loadPerlMessages());
  else console.log(`messages skipped: ${withoutMessages}`);
  if (texts.length === 0) return [];
  const used = isSmall
    ? [texts[0]!, texts.at(-1)!].map((text) => ({ ...text, questions: text.questions.slice(0, 200) }))
    : texts;
  console.log(machineText());

  const scores = used.map(scoresOf);
  const learned = used.map((text) => learn(text, DIMENSIONS_MAX));
  const shuffled = used.map(inRandomOrder);
  const shuffledLearned = shuffled.map(({ text }) => learn(text, DIMENSIONS_MAX));
  const ranker = (meanings: readonly (Meaning | undefined)[]): Ranker => fusedRanker(scores, meanings);
  const without = memoised(used, ranker([]));
  const withMeaning = memoised(used, ranker(learned));
  const reports = [
    measure("words", used, (t, q) => rankingOf(scores[t]![q]!.bm25, RANKING_LENGTH)),
    measure("hashed vectors", used, (t, q) => rankingOf(scores[t]![q]!.cosines, RANKING_LENGTH)),
    measure("learned meaning", used, (t, q) => rankingOf(learned[t]!.cosines[q]!, RANKING_LENGTH)),
    measure("words and hashed vectors", used, without),
    measure("words, hashed vectors and meaning", used, withMeaning),
    measure(
      "the same, stored in a random order",
      used,
      ranker(shuffledLearned.map((meaning, t) => backInOrder(meaning, shuffled[t]!.order))),
    ),
  ];
  printReports(used, reports);
  console.log(`shares: ${used.map(({ name }, t) => `${name} ${learned[t]!.share.toFixed(2)}`).join(", ")}`);
  const { gain, error } = pairedGain(used, withMeaning, without);
  console.log(`meaning, question by question: ${percent(gain)} ± ${percent(error)} points of recall@10`);
  if (!isSmall && used.length > 2) printLeftOut(used, scores);
  return reports;
}

function scoresOf({ turns, questions }: Conversation): Scores[] {
  const index = new NaiveWordIndex(turns.map(({ content }) => content));
  const embedder = new HashEmbedder();
  const memories = turns.map(({ content }) => embedder.embedMemory(content, "english"));
  return questions.map(({ text }) => {
    const { scores, queryMass } = index.search(text, K1_DEFAULT, B_DEFAULT);
    const query = embedder.embedQuery(text, "english", (lo, hi) => index.idf(lo, hi));
    return { bm25: scores, queryMass, cosines: Float32Array.from(memories, (memory) => dot(query, memory)) };
  });
}

/** Learns from the turns as a space would, and compares every question with every turn. */
function learn({ turns, questions }: Conversation, dimensionsMax: number, share?: number): Meaning {
  const vocabulary = new Map<string, number>();
  const buffer = new TermBuffer();
  const termsOf = (text: string): FoldedTerm[] => {
    analyse(text, "english", buffer);
    return Array.from({ length: buffer.count }, (_, i) => {
      const key = `${buffer.los[i]},${buffer.his[i]}`;
      return { term: vocabulary.get(key) ?? -1, occurrences: buffer.frequencies[i]!, key };
    }).map(({ term, occurrences, key }) => {
      if (term >= 0) return { term, occurrences };
      vocabulary.set(key, vocabulary.size);
      return { term: vocabulary.size - 1, occurrences };
    });
  };
  const texts = turns.map(({ content }) => termsOf(content));
  const holders = new Uint32Array(vocabulary.size);
  for (const terms of texts) for (const { term } of terms) holders[term]! += 1;
  const gains = Float32Array.from(holders, (withTermCount) =>
    inverseDocumentFrequency({ memoryCount: texts.length, withTermCount }),
  );
  const entries = texts.reduce((sum, terms) => sum + terms.length, 0);
  const builder = new TextMatrixBuilder(gains, { texts: texts.length, entries });
  for (const terms of texts) {
    for (const { term, occurrences } of terms) builder.add(term, occurrences);
    builder.endText();
  }
  const meaning = learnMeaningAtOnce(builder.finish(), {
    dimensionsMax,
    seed: SEED,
    kernels: NATIVE_KERNELS,
  });
  if (meaning === undefined) throw new Error("the text is too short to learn from");
  const memories = texts.map((terms) => foldText(meaning, gains, terms));
  return {
    share: share ?? meaningShare(meaning.contextGain, false),
    cosines: questions.map(({ text }) => {
      const query = foldText(
        meaning,
        gains,
        termsOf(text).filter(({ term }) => term < gains.length),
      );
      return Float32Array.from(memories, (memory) => dot(query, memory));
    }),
  };
}

/** The candidates of all lists, fused as a recall fuses them. */
function fusedRanker(
  scores: readonly (readonly Scores[])[],
  meanings: readonly (Meaning | undefined)[],
): Ranker {
  const scratch = new FusionScratch();
  return (t, q) => {
    const { bm25, queryMass, cosines } = scores[t]![q]!;
    const meaning = meanings[t];
    const similar = meaning?.cosines[q];
    const lists = similar === undefined ? [bm25, cosines] : [bm25, cosines, similar];
    const slots = [...new Set(lists.flatMap((list) => rankingOf(list, CANDIDATES)))];
    const of = (list: Float32Array): Float32Array => Float32Array.from(slots, (slot) => list[slot]!);
    const fused = new Float32Array(slots.length);
    fuse(
      {
        count: slots.length,
        bm25: of(bm25),
        cosines: of(cosines),
        meanings: similar === undefined ? undefined : of(similar),
      },
      { family: "hashed", queryMass, k1: K1_DEFAULT, meaningShare: meaning?.share },
      fused,
      scratch,
    );
    return rankingOf(fused, RANKING_LENGTH).map((position) => slots[position]!);
  };
}

function inRandomOrder(text: Conversation): {
  readonly text: Conversation;
  readonly order: readonly number[];
} {
  const order = new Random(SEED).shuffle([...text.turns.keys()]);
  return { text: { ...text, turns: order.map((turn) => text.turns[turn]!) }, order };
}

function backInOrder({ share, cosines }: Meaning, order: readonly number[]): Meaning {
  return {
    share,
    cosines: cosines.map((list) => {
      const back = new Float32Array(list.length);
      for (const [at, turn] of order.entries()) back[turn] = list[at]!;
      return back;
    }),
  };
}

/** Chooses dimensions and share on all texts but one, and measures on that one. */
function printLeftOut(texts: readonly Conversation[], scores: readonly (readonly Scores[])[]): void {
  const settings = [32, 64, 128, 200].flatMap((dimensions) =>
    [0.2, 0.3, 0.4, 0.5, 0.6].map((share) => ({ dimensions, share })),
  );
  const reports = settings.map(({ dimensions, share }) => {
    const meanings = texts.map((text) => learn(text, dimensions, share));
    return measure(`${dimensions} dimensions, share ${share}`, texts, fusedRanker(scores, meanings));
  });
  console.log("\ndimensions at most, and share, chosen without the text they are measured on");
  texts.forEach(({ name }, left) => {
    const others = (report: Report): number =>
      report.each.reduce((sum, part, i) => (i === left ? sum : sum + part.r10), 0);
    const chosen = reports.reduce((best, report) => (others(report) > others(best) ? report : best));
    const own = reports.reduce((best, report) =>
      report.each[left]!.r10 > best.each[left]!.r10 ? report : best,
    );
    console.log(
      `${name}: chosen ${chosen.name}, recall@10 ${percent(chosen.each[left]!.r10)}; best for itself ${percent(own.each[left]!.r10)} (${own.name})`,
    );
  });
}

function memoised(texts: readonly Conversation[], rank: Ranker): Ranker {
  const rankings = texts.map(({ questions }, t) => questions.map((_, q) => rank(t, q)));
  return (t, q) => rankings[t]![q]!;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
