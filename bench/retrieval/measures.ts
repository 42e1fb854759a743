/** What a ranking found of the evidence: recall@k is the part of a question's evidence among the first k. */
import type { Conversation } from "./conversations.ts";

export type Measures = { r5: number; r10: number; r20: number; mrr: number; count: number };

/** Positions of turns, best first; only those that were found. */
export type Ranking = readonly number[];
export type Ranker = (conversationIndex: number, questionIndex: number) => Ranking;

export type Report = { readonly name: string; readonly each: readonly Measures[]; readonly all: Measures };

export function measureQuestion(evidence: readonly number[], ranking: Ranking): Measures {
  const ranks = evidence.map((turn) => ranking.indexOf(turn)).filter((rank) => rank >= 0);
  const within = (k: number): number => ranks.filter((rank) => rank < k).length / evidence.length;
  const first = Math.min(...ranks);
  return {
    r5: within(5),
    r10: within(10),
    r20: within(20),
    mrr: Number.isFinite(first) ? 1 / (first + 1) : 0,
    count: 1,
  };
}

/** Means over the questions: of each conversation, and of all. */
export function measure(name: string, conversations: readonly Conversation[], rank: Ranker): Report {
  const each = conversations.map(({ questions }, conversationIndex) =>
    mean(questions.map(({ evidence }, index) => measureQuestion(evidence, rank(conversationIndex, index)))),
  );
  return { name, each, all: mean(each) };
}

export function mean(parts: readonly Measures[]): Measures {
  const sum: Measures = { r5: 0, r10: 0, r20: 0, mrr: 0, count: 0 };
  for (const part of parts) {
    for (const key of ["r5", "r10", "r20", "mrr"] as const) sum[key] += part[key] * part.count;
    sum.count += part.count;
  }
  for (const key of ["r5", "r10", "r20", "mrr"] as const) sum[key] /= Math.max(1, sum.count);
  return sum;
}

/** One line a report: the means of all questions, then recall@10 of each conversation. */
export function printReports(conversations: readonly Conversation[], reports: readonly Report[]): void {
  const names = conversations.map(({ name }) => name.padStart(8)).join(" ");
  console.log(`${"".padEnd(44)}     @5    @10    @20    MRR | @10 of ${names}`);
  for (const { name, each, all } of reports) {
    const means = [all.r5, all.r10, all.r20, all.mrr].map((value) => percent(value, 6)).join(" ");
    console.log(`${name.padEnd(44)} ${means} |        ${each.map(({ r10 }) => percent(r10, 8)).join(" ")}`);
  }
}

/** recall@10 of one report against another, question by question: the mean gain and its standard error. */
export function pairedGain(
  conversations: readonly Conversation[],
  rank: Ranker,
  base: Ranker,
): { readonly gain: number; readonly error: number } {
  const gains: number[] = [];
  conversations.forEach(({ questions }, conversationIndex) => {
    questions.forEach(({ evidence }, index) => {
      const better = measureQuestion(evidence, rank(conversationIndex, index)).r10;
      gains.push(better - measureQuestion(evidence, base(conversationIndex, index)).r10);
    });
  });
  const gain = gains.reduce((sum, value) => sum + value, 0) / gains.length;
  const variance = gains.reduce((sum, value) => sum + (value - gain) ** 2, 0) / Math.max(1, gains.length - 1);
  return { gain, error: Math.sqrt(variance / gains.length) };
}

export function percent(value: number, width = 5): string {
  return (100 * value).toFixed(1).padStart(width);
}

/** Positions by falling score; those at 0 or below were not found. */
export function rankingOf(scores: ArrayLike<number>, limit: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < scores.length; i++) if (scores[i]! > 0) found.push(i);
  return found.sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, limit);
}
