/**
 * The collector's thread, one per NUMA node, kept to that node's cores. It samples what nobody can count while
 * it happens: memory, descriptors, processor time and the data disk, once a second.
 */
import { statfsSync } from "node:fs";
import { openFileCount, processLimits, processMemory, threadCount } from "../base/process-facts.ts";
import { PROCESS_FACT } from "../layout/process-facts.ts";
import type { Boot, ToThread } from "./boot.ts";
import { aliveMarker, tellMain } from "./thread.ts";

const SAMPLE_MS = 1000;

export async function startCollector(boot: Boot): Promise<(message: ToThread) => void> {
  const facts = new Float64Array(boot.shared.processFacts);
  const alive = aliveMarker(boot);
  const sample = (): void => {
    alive();
    // Process-wide figures have one owner.
    if (boot.ordinal !== 0) return;
    const disk = attempt(() => statfsSync(boot.dataDirectory));
    const usage = process.cpuUsage();
    facts[PROCESS_FACT.rssBytes] = attempt(() => processMemory().residentBytes) ?? Number.NaN;
    facts[PROCESS_FACT.openFiles] = attempt(openFileCount) ?? Number.NaN;
    facts[PROCESS_FACT.openFilesMax] = attempt(() => processLimits().openFiles) ?? Number.NaN;
    facts[PROCESS_FACT.threads] = attempt(threadCount) ?? Number.NaN;
    facts[PROCESS_FACT.dataDiskFreeBytes] = disk === undefined ? Number.NaN : disk.bavail * disk.bsize;
    facts[PROCESS_FACT.dataDiskBytes] = disk === undefined ? Number.NaN : disk.blocks * disk.bsize;
    facts[PROCESS_FACT.cpuSeconds] = (usage.user + usage.system) / 1e6;
    facts[PROCESS_FACT.sampledAtMs] = Date.now();
  };
  sample();
  const timer = setInterval(sample, SAMPLE_MS);
  tellMain({ type: "ready" });
  return (message) => {
    if (message.type !== "shutdown") return;
    clearInterval(timer);
    tellMain({ type: "stopped" });
  };
}

/** A figure that /proc does not give here is left unmeasured. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
