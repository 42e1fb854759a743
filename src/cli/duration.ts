/** Durations on the command line: "250ms", "15m", "3d". */
import { OperatorError } from "../base/errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * @param unit of a number without one; a unit is needed where undefined
 * @param what the duration is, for the message: "lookback"
 * @throws {OperatorError} `usage`
 */
export function durationMs(value: string, unit: string | undefined, what: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(value);
  const factor = UNIT_MS[found?.[2] ?? unit ?? ""];
  if (found === null || factor === undefined) {
    throw new OperatorError({
      code: "usage",
      message: `"${value}" is no ${what}`,
      remedy: "Give a number with a unit: ms, s, m, h or d",
    });
  }
  return Number(found[1]) * factor;
}
