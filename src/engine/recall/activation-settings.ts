/** How activation spreads: the settings `activation`, and what one recall asks instead of them. */
import type { Settings } from "../../config/schema.ts";
import { BINDING_KIND, BINDING_KIND_COUNT } from "../../layout/binding.ts";

export type ActivationSettings = {
  readonly enabled: boolean;
  readonly seeds: number;
  readonly hops: number;
  readonly decay: number;
  readonly threshold: number;
  readonly visits: number;
  readonly timeMs: number;
  readonly cyclePenalty: number;
  readonly weight: number;
  readonly speakerWeight: number;
  readonly halfLifeSeconds: number;
};

/** What one recall may ask instead; `hops` 0 spreads nothing. */
export type ActivationOverrides = {
  readonly [Key in
    | "seeds"
    | "hops"
    | "decay"
    | "threshold"
    | "visits"
    | "timeMs"
    | "weight"
    | "speakerWeight"]?: number | undefined;
};

/**
 * How much each kind of binding conducts. What followed one another or was linked on purpose leads on; vectors made
 * of words say of similarity what the query's own words have said already (bench/retrieval/association.ts).
 */
export const KIND_WEIGHTS: Float32Array = new Float32Array(BINDING_KIND_COUNT);
KIND_WEIGHTS[BINDING_KIND.temporal] = 1;
KIND_WEIGHTS[BINDING_KIND.session] = 1;
KIND_WEIGHTS[BINDING_KIND.similar] = 0.3;
KIND_WEIGHTS[BINDING_KIND.entity] = 0.6;
KIND_WEIGHTS[BINDING_KIND.tag] = 0.3;
KIND_WEIGHTS[BINDING_KIND.link] = 1;
KIND_WEIGHTS[BINDING_KIND.member] = 0.3;
KIND_WEIGHTS[BINDING_KIND.cause] = 1;

export function activationSettings(settings: Settings): ActivationSettings {
  const { activation, association } = settings;
  return {
    enabled: activation.enabled,
    seeds: activation.seeds,
    hops: activation.hops,
    decay: activation.decay,
    threshold: activation.threshold,
    visits: activation.visits,
    timeMs: activation.time_ms,
    cyclePenalty: activation.cycle_penalty,
    weight: activation.weight,
    speakerWeight: activation.speaker_weight,
    halfLifeSeconds: association.half_life_days * 86_400,
  };
}

/** The settings with what a recall asks instead. */
export function activationOf(
  settings: ActivationSettings,
  overrides: ActivationOverrides | undefined,
): ActivationSettings {
  if (overrides === undefined) return settings;
  const asked = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  return { ...settings, ...asked };
}
