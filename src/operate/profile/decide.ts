/** Decides what the bottlenecks are: a pure function of what was measured, so that tests can plant every one. */
import type { Finding } from "./finding.ts";
import type { Measured } from "./measured.ts";
import { RULES_OF_MACHINE } from "./rules-of-machine.ts";
import { RULES_OF_WORK, slowOperations } from "./rules-of-work.ts";

export const FINDINGS_MAX = 3;

/** The bottlenecks, heaviest first; none of a healthy appliance. */
export function decide(measured: Measured): Finding[] {
  const found = [...RULES_OF_WORK, ...RULES_OF_MACHINE].flatMap((rule) => rule(measured) ?? []);
  const slow = slowOperations(measured, new Set(found.map(({ cause }) => cause)));
  return [...found, ...(slow === undefined ? [] : [slow])]
    .sort((a, b) => b.weight - a.weight)
    .slice(0, FINDINGS_MAX);
}
