/** What consolidation takes from the settings, in its own words. */
import { type LearningRates, ratesOfHalfLife } from "../../cognition/complementary-learning.ts";
import { FORMATION_RULES, type FormationRules } from "../../cognition/concept-formation.ts";
import type { Settings } from "../../config/schema.ts";

export type ConsolidationRules = {
  readonly isEnabled: boolean;
  /** new memories in one cycle, and older ones beside them */
  readonly freshMax: number;
  readonly oldMax: number;
  readonly delayMs: number;
  readonly restMs: number;
  /** operations a second above which it pauses */
  readonly pauseOperations: number;
  readonly threads: number;
  readonly formation: FormationRules;
  readonly rates: LearningRates;
};

/** Members at most of one concept; more of the kind make another one. */
export const MEMBERS_MAX = 512;

export function consolidationRules({ consolidation }: Settings): ConsolidationRules {
  return {
    isEnabled: consolidation.enabled,
    freshMax: consolidation.batch,
    oldMax: consolidation.batch >>> 1,
    delayMs: consolidation.delay_s * 1000,
    restMs: consolidation.rest_s * 1000,
    pauseOperations: consolidation.pause_operations,
    threads: consolidation.threads,
    formation: {
      ...FORMATION_RULES,
      membersMin: consolidation.members_min,
      distinctiveness: consolidation.distinctiveness,
    },
    rates: ratesOfHalfLife(consolidation.hippocampal_half_life_hours),
  };
}
