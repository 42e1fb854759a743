/** The sampler of a thread, running while metrics are recorded. */
import type { ThreadSampler } from "../observe/thread-sampler.ts";
import type { Boot } from "./boot.ts";

export type SwitchedSampler = {
  /** Starts or stops it, as `monitoring.enabled` says now. */
  readonly followSettings: () => void;
};

export function switchedSampler(boot: Boot, start: () => ThreadSampler): SwitchedSampler {
  let running: ThreadSampler | undefined;
  const followSettings = (): void => {
    if (boot.settings.monitoring.enabled) running ??= start();
    else {
      running?.stop();
      running = undefined;
    }
  };
  followSettings();
  return { followSettings };
}
