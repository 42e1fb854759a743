/** What the engine takes from the settings, in its own words. */
import type { Settings } from "../config/schema.ts";
import type { Bm25Settings } from "../index/word-index-reader.ts";
import type { Language } from "../language/languages.ts";
import type { ForgettingCurve } from "../layout/forgetting-curve.ts";
import type { Quantization } from "../layout/space-root.ts";
import type { Forgetting } from "./space-forgetting.ts";

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
  /** what becomes of a memory whose embedding can not be had */
  readonly whenUnavailable: "fail" | "store";
  /** of spaces that have no own */
  readonly forgetting: Forgetting;
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
    bm25: { k1: settings.recall.bm25_k1, b: settings.recall.bm25_b },
    whenUnavailable: settings.embedding.when_unavailable as "fail" | "store",
    forgetting: {
      curve: settings.forgetting.curve as ForgettingCurve,
      stabilityHours: settings.forgetting.stability_hours,
    },
  };
}
