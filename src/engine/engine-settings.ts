/** What the engine takes from the settings, in its own words. */
import { type LearningRates, ratesOfHalfLife } from "../cognition/complementary-learning.ts";
import type { Settings } from "../config/schema.ts";
import type { Bm25Settings } from "../index/word-index-reader.ts";
import type { Language } from "../language/languages.ts";
import type { ForgettingCurve } from "../layout/forgetting-curve.ts";
import type { Quantization } from "../layout/space-root.ts";
import { type ActivationSettings, activationSettings } from "./recall/activation-settings.ts";
import type { Forgetting } from "./space-forgetting.ts";

export type InterferenceSettings = {
  readonly enabled: boolean;
  /** part of a score that competitors can take */
  readonly weight: number;
  /** distance in time at which 1/e of the competition is left */
  readonly windowHours: number;
};

export type PrimingSettings = {
  readonly enabled: boolean;
  /** part of a score that priming can add */
  readonly weight: number;
  /** priming falls by e in this time */
  readonly decaySeconds: number;
};

export type EngineSettings = {
  readonly autoCreate: boolean;
  readonly spacesMax: number;
  readonly memoriesMax: number;
  readonly defaultLanguage: Language;
  readonly dimensions: number;
  readonly quantization: Quantization;
  readonly M: number;
  readonly efConstruction: number;
  readonly efSearch: number;
  readonly tailMax: number;
  readonly candidates: number;
  readonly bm25: Bm25Settings;
  /** of the two traces of a memory */
  readonly rates: LearningRates;
  readonly activation: ActivationSettings;
  /** whether recall goes by learned meaning, and up to how many memories are scanned for it */
  readonly meaning: { readonly isEnabled: boolean; readonly scanMax: number };
  /** what becomes of a memory whose embedding can not be had */
  readonly whenUnavailable: "fail" | "store";
  /** curve and half-life are of spaces that have no own */
  readonly forgetting: Forgetting & {
    readonly enabled: boolean;
    /** whether a recall counts as a use of what it brings up */
    readonly learnFromRecall: boolean;
    /** part of a score that a memory of which nothing is left loses */
    readonly weight: number;
    /** retention below which a memory has faded */
    readonly floor: number;
  };
  readonly interference: InterferenceSettings;
  readonly priming: PrimingSettings;
  readonly reconsolidation: { readonly enabled: boolean; readonly windowHours: number };
};

export function engineSettings(settings: Settings): EngineSettings {
  return {
    autoCreate: settings.spaces.auto_create,
    spacesMax: settings.spaces.max,
    memoriesMax: settings.spaces.max_memories,
    defaultLanguage: settings.spaces.default_language as Language,
    dimensions: settings.embedding.dimensions,
    quantization: settings.index.quantization as Quantization,
    M: settings.index.M,
    efConstruction: settings.index.ef_construction,
    efSearch: settings.index.ef_search,
    tailMax: settings.index.tail_max,
    candidates: settings.recall.candidates,
    meaning: { isEnabled: settings.meaning.enabled, scanMax: settings.meaning.scan_max },
    rates: ratesOfHalfLife(settings.consolidation.hippocampal_half_life_hours),
    bm25: { k1: settings.recall.bm25_k1, b: settings.recall.bm25_b },
    activation: activationSettings(settings),
    whenUnavailable: settings.embedding.when_unavailable as "fail" | "store",
    forgetting: {
      curve: settings.forgetting.curve as ForgettingCurve,
      stabilityHours: settings.forgetting.stability_hours,
      enabled: settings.forgetting.enabled,
      learnFromRecall: settings.forgetting.learn_from_recall,
      weight: settings.forgetting.weight,
      floor: settings.forgetting.floor,
    },
    interference: {
      enabled: settings.interference.enabled,
      weight: settings.interference.weight,
      windowHours: settings.interference.window_hours,
    },
    priming: {
      enabled: settings.priming.enabled,
      weight: settings.priming.weight,
      decaySeconds: settings.priming.decay_s,
    },
    reconsolidation: {
      enabled: settings.reconsolidation.enabled,
      windowHours: settings.reconsolidation.window_hours,
    },
  };
}
