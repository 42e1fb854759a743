/** The NUMA lab: an emulated machine with two nodes, for checks that this machine has no hardware for. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const LAB = process.env["NUMA_LAB"] ?? resolve(ROOT, "../shared/numa-lab/numa-lab");

/** Why it is not used; undefined where it is. */
export const WHY_NO_LAB: string | undefined =
  process.env["ENGRAM_TEST_LONG"] !== "1"
    ? "takes minutes; npm run test:long"
    : existsSync(LAB)
      ? undefined
      : "the NUMA lab is not here; name it in NUMA_LAB";

/**
 * Boots the lab, runs a script of this directory in it, and answers everything it printed.
 *
 * @param hugePagesANode pages of 2 MiB, reserved on each node
 */
export function runInLab(
  script: string,
  words: readonly string[],
  { hugePagesANode, secondsMax }: { readonly hugePagesANode: number; readonly secondsMax: number },
): string {
  const options = ["--nodes", "2", "--hugepages", `${hugePagesANode}`, "--timeout", `${secondsMax}`];
  const answer = spawnSync(LAB, [...options, "--", "sh", join(import.meta.dir, script), ...words], {
    encoding: "utf8",
    cwd: ROOT,
    timeout: (secondsMax + 60) * 1000,
    maxBuffer: 64 * 1024 ** 2,
  });
  return `${answer.stdout}\n${answer.stderr}`;
}

/** The lines `fact: value` that a script printed; of a fact said several times, the last value. */
export function factsOf(output: string): (name: string) => string {
  const facts = new Map<string, string>();
  for (const line of output.split("\n")) {
    const at = line.indexOf(": ");
    if (at > 0 && !line.startsWith("log: ")) facts.set(line.slice(0, at), line.slice(at + 2));
  }
  return (name) => {
    const value = facts.get(name);
    if (value === undefined) throw new Error(`The script did not say ${name}:\n${output}`);
    return value;
  };
}
