/**
 * Whether a tuning helped: a pure function of the figures before and after, by what the noise of both allows.
 *
 * Kept is what made some figure better and none worse. A change made so that recalls find more is kept if they do: it
 * may cost time. A change that takes less memory is kept if nothing became worse. What made recalls find less goes.
 */
import type { Comparison } from "../bench/verdict.ts";
import type { Change } from "./plan.ts";

export type TuneVerdict = {
  readonly isKept: boolean;
  readonly reason: string;
  /** another pair of measurements might say something else: times are bent by what else the machine does */
  readonly isDoubtful?: boolean;
};

/** recall@10 of a sample of 60 queries: a difference of less is chance. */
const RECALL_STEP = 0.03;

export function decideTuning(given: {
  readonly changes: readonly Change[];
  readonly comparison: Comparison;
  /** recall@10 against exact search; undefined where it was not measured */
  readonly recallBefore: number | undefined;
  readonly recallAfter: number | undefined;
}): TuneVerdict {
  const { changes, comparison, recallBefore, recallAfter } = given;
  const gained = (recallAfter ?? 0) - (recallBefore ?? 0);
  const found = `recall@10 ${text(recallBefore)} before, ${text(recallAfter)} after`;
  const figures = comparison.verdicts.filter(({ outcome }) => outcome !== "pass");
  const named = (outcome: "better" | "fail"): string =>
    figures
      .filter((each) => each.outcome === outcome)
      .map(({ figure, before, now, unit }) => `${figure} ${short(before)} -> ${short(now)} ${unit}`.trim())
      .join("; ");
  if (recallBefore !== undefined && recallAfter !== undefined) {
    if (gained < -RECALL_STEP) return { isKept: false, reason: `recalls find less: ${found}` };
    if (changes.some(({ aim }) => aim === "accuracy")) {
      if (gained >= RECALL_STEP) return { isKept: true, reason: `recalls find more: ${found}` };
      return { isKept: false, reason: `recalls do not find more: ${found}` };
    }
  }
  const worse = named("fail");
  if (worse !== "") return { isKept: false, reason: `worse beyond noise: ${worse}`, isDoubtful: true };
  const better = named("better");
  if (better !== "") return { isKept: true, reason: `better beyond noise: ${better}` };
  if (changes.length > 0 && changes.every(({ aim }) => aim === "memory")) {
    return { isKept: true, reason: "it takes less memory, and nothing became worse" };
  }
  return { isKept: false, reason: "no figure changed beyond noise", isDoubtful: true };
}

function text(recall: number | undefined): string {
  return recall === undefined ? "not measured" : recall.toFixed(2);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
