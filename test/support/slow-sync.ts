/** A disk that syncs slowly, as a library to preload: `test/appliance/slow-sync.c`, compiled for the test that asks. */
import { join } from "node:path";

const CC = ["cc", "gcc", "clang"].map((name) => Bun.which(name)).find(Boolean);

/** Why it can not be had; undefined where it can. */
export const NO_SLOW_SYNC: string | undefined = CC
  ? undefined
  : "no C compiler (apt-get install build-essential)";

/** @returns the library, for LD_PRELOAD; it delays while the file $ENGRAM_TEST_SLOW_WHILE exists, by $ENGRAM_TEST_SLOW_MS */
export function buildSlowSync(directory: string): string {
  const library = join(directory, "slow-sync.so");
  const source = join(import.meta.dir, "../appliance/slow-sync.c");
  const built = Bun.spawnSync([CC!, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]);
  if (built.exitCode !== 0) throw new Error(built.stderr.toString());
  return library;
}
