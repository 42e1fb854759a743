/** The process, its log streams and its settings, from what their owners say of them in shared memory. */
import { PROCESS_FACT } from "../layout/process-facts.ts";
import { STREAM_FACT } from "../layout/stream-facts.ts";
import type { FamilySet } from "./family.ts";

export type ProcessSource = {
  readonly processFacts: Float64Array;
  readonly streamFacts: readonly Float64Array[];
  /** ms since the epoch when the process began to start */
  readonly startedAtMs: number;
  /** the setting as it is now */
  readonly tailMax: () => number;
  readonly memoriesMax: number;
  readonly version: string;
};

export function sampleProcess(set: FamilySet, source: ProcessSource): void {
  const { processFacts: facts } = source;
  const fact = (name: keyof typeof PROCESS_FACT): number => facts[PROCESS_FACT[name]]!;
  set.sample("engram_ready", {}, fact("ready") === 1 && fact("stopping") !== 1 ? 1 : 0);
  set.sample("engram_build_info", { version: source.version, bun: Bun.version }, 1);
  set.sample("engram_index_tail_capacity_vectors", {}, source.tailMax());
  set.sample("engram_space_capacity_memories", {}, source.memoriesMax);
  set.sample("process_start_time_seconds", {}, source.startedAtMs / 1000);
  source.streamFacts.forEach((stream, index) => {
    sampleStream(set, stream, String(index));
  });
  if (fact("sampledAtMs") === 0) return;
  set.sample("process_resident_memory_bytes", {}, fact("rssBytes"));
  set.sample("process_cpu_seconds_total", {}, fact("cpuSeconds"));
  set.sample("process_open_fds", {}, fact("openFiles"));
  set.sample("process_max_fds", {}, fact("openFilesMax"));
  set.sample("process_threads", {}, fact("threads"));
  set.sample("engram_disk_bytes", { state: "free" }, fact("dataDiskFreeBytes"));
  set.sample("engram_disk_bytes", { state: "used" }, fact("dataDiskBytes") - fact("dataDiskFreeBytes"));
}

function sampleStream(set: FamilySet, facts: Float64Array, stream: string): void {
  const fact = (name: keyof typeof STREAM_FACT): number => facts[STREAM_FACT[name]]!;
  set.sample("engram_wal_unsynced_records", { stream }, fact("appendedSequence") - fact("syncedSequence"));
  set.sample("engram_wal_disk_bytes", { stream }, fact("diskBytes"));
  set.sample("engram_wal_refused_writes_total", { stream }, fact("diskFullCount"));
  set.sample("engram_recovery_duration_seconds", { stream }, fact("recoveryMs") / 1000);
  set.sample("engram_recovery_replayed_records", { stream }, fact("replayedRecords"));
  if (fact("checkpointAtMs") > 0) {
    set.sample("engram_checkpoint_timestamp_seconds", { stream }, fact("checkpointAtMs") / 1000);
  }
}
