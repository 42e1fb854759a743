/** Which threads gave a sign of life lately. */
import { THREAD_ALIVE_AT } from "../layout/process-facts.ts";
import type { Boot, ThreadRole } from "./boot.ts";
import { threadIndex } from "./thread.ts";

/** A checkpoint of a large space blocks the background thread, and a large group the writer, for seconds. */
const SILENCE_MS_MAX: Record<ThreadRole, number> = {
  api: 10_000,
  writer: 30_000,
  indexer: 30_000,
  collector: 10_000,
  background: 600_000,
};

type Counts = Pick<Boot, "apiWorkerCount" | "writerCount" | "indexerCount" | "shared">;

export function threadsAlive(boot: Counts): { readonly threads: number; readonly silent: string[] } {
  const facts = new Float64Array(boot.shared.processFacts);
  const silent: string[] = [];
  let threads = 0;
  for (const [role, count] of threadCounts(boot)) {
    for (let ordinal = 0; ordinal < count; ordinal++) {
      threads += 1;
      const aliveAtMs = facts[THREAD_ALIVE_AT + threadIndex({ ...boot, role, ordinal })]!;
      // 0: it has not started yet, for which main has a bound of its own (start.ts).
      if (aliveAtMs !== 0 && Date.now() - aliveAtMs > SILENCE_MS_MAX[role]) silent.push(`${role} ${ordinal}`);
    }
  }
  return { threads, silent };
}

export function threadCounts(counts: Omit<Counts, "shared">): [ThreadRole, number][] {
  return [
    ["writer", counts.writerCount],
    ["indexer", counts.indexerCount],
    ["collector", counts.writerCount],
    ["background", 1],
    ["api", counts.apiWorkerCount],
  ];
}
