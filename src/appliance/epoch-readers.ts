/** Which line of the epochs each reading thread has: API workers, indexers, background. */
import { assert } from "../base/assert.ts";
import type { Boot } from "./boot.ts";

type Counts = Pick<Boot, "apiWorkerCount" | "indexerCount">;

export function epochReaderCount({ apiWorkerCount, indexerCount }: Counts): number {
  return apiWorkerCount + indexerCount + 1;
}

export function epochReaderIndex(boot: Counts & Pick<Boot, "role" | "ordinal">): number {
  switch (boot.role) {
    case "api":
      return boot.ordinal;
    case "indexer":
      return boot.apiWorkerCount + boot.ordinal;
    case "background":
      return boot.apiWorkerCount + boot.indexerCount;
    default:
      assert(false, `a ${boot.role} thread reads no spaces`);
  }
}
