/** What learning takes from the settings, in its own words. */
import type { Settings } from "../../config/schema.ts";

export type MeaningSettings = {
  readonly isEnabled: boolean;
  readonly dimensionsMax: number;
  /** live memories a space needs before it learns */
  readonly memoriesMin: number;
  readonly termsMax: number;
  /** bytes that one learning may work in */
  readonly workBytes: number;
  /** a space learns anew once it holds so much more than it learned from: 0.5 is half as much again */
  readonly growth: number;
  readonly restMs: number;
  /** slots that a recall scans at most for candidates of their own */
  readonly scanMax: number;
};

const MIB = 1024 * 1024;

export function meaningSettings({ meaning }: Settings): MeaningSettings {
  return {
    isEnabled: meaning.enabled,
    dimensionsMax: meaning.dimensions,
    memoriesMin: meaning.memories_min,
    termsMax: meaning.terms_max,
    workBytes: meaning.memory_mb * MIB,
    growth: meaning.growth,
    restMs: meaning.rest_s * 1000,
    scanMax: meaning.scan_max,
  };
}
