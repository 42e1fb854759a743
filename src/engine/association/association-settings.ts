/** What the associator takes from the settings `association`. */
import type { Settings } from "../../config/schema.ts";

export type AssociationSettings = {
  readonly enabled: boolean;
  readonly window: number;
  readonly sessionGapMs: number;
  readonly similar: number;
  readonly similarityMin: number;
  readonly shared: number;
  readonly sharedByMax: number;
  readonly strengthMin: number;
  readonly halfLifeSeconds: number;
};

export function associationSettings({ association }: Settings): AssociationSettings {
  return {
    enabled: association.enabled,
    window: association.window,
    sessionGapMs: association.session_gap_minutes * 60_000,
    similar: association.similar,
    similarityMin: association.similarity_min,
    shared: association.shared,
    sharedByMax: association.shared_by_max,
    strengthMin: association.strength_min,
    halfLifeSeconds: association.half_life_days * 86_400,
  };
}
