/**
 * A busy loop in an API worker, for tests of profiles. Preloaded into the program (BUN_OPTIONS="--preload FILE"), it
 * has every thread that is started load it, too; there it burns in the thread that is named api-0, eight tenths of the
 * time.
 */
import { readFileSync } from "node:fs";

const BURN_MS = 80;
const EVERY_MS = 100;

/** The function that a profile has to find. Too large to be built into its caller. */
function plantedBusyLoop(ms: number): number {
  const end = performance.now() + ms;
  let sum = 0;
  while (performance.now() < end) {
    for (let i = 1; i < 2000; i++) {
      sum += Math.sqrt(i) * Math.sin(sum) + Math.log(i) * Math.cos(sum);
      if (sum > 1e6) sum = Math.abs(sum % 1000);
      if (sum < -1e6) sum = -Math.abs(sum % 1000);
    }
  }
  return sum;
}

if (Bun.isMainThread) {
  const Plain = globalThis.Worker;
  globalThis.Worker = class extends Plain {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, { ...options, preload: [import.meta.path] });
    }
  };
} else {
  setInterval(() => {
    if (readFileSync("/proc/thread-self/comm", "utf8").trim() === "api-0") plantedBusyLoop(BURN_MS);
  }, EVERY_MS);
}
