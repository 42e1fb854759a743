/**
 * The true state of each part, put together from what the threads say of themselves. Nothing here is assumed:
 * a figure that could not be had is left out, with the reason beside it.
 */
import { VERSION } from "../base/version.ts";
import type { EmbeddingProvider } from "../embedding/embedder.ts";
import type { Health, PartHealth, SpaceInfo } from "../engine/engine.ts";
import { PROCESS_FACT } from "../layout/process-facts.ts";
import { STREAM_FACT, STREAM_STATE } from "../layout/stream-facts.ts";
import { listRegions, type RegisteredRegion } from "../shm/region-registry.ts";
import type { Boot } from "./boot.ts";
import { threadsAlive } from "./threads-alive.ts";

/** Below this share of free space, or this many bytes, the disk is reported as filling. */
const DISK_FREE_SHARE_MIN = 0.05;
const DISK_FREE_BYTES_MIN = 1024 ** 3;
/** A tail this full slows writers soon. */
const TAIL_SHARE_DEGRADED = 0.9;
const SAMPLE_AGE_MS_MAX = 10_000;

export function openHealth(boot: Boot, embedder: EmbeddingProvider): (spaces: SpaceInfo[]) => Health {
  const process = new Float64Array(boot.shared.processFacts);
  const streams = boot.shared.streamFacts.map((buffer) => new Float64Array(buffer));
  return (spaces) => {
    const ready = process[PROCESS_FACT.ready] === 1;
    const parts: Record<string, PartHealth> = {
      threads: threadsPart(boot),
      log: logPart(streams),
      checkpoints: checkpointPart(streams),
      index: indexPart(spaces, boot.settings.index.tail_max),
      embedding: embedder.state(),
      memory: memoryPart(process),
      numa: numaPart(boot),
      disk: diskPart(process, streams),
    };
    const states = Object.values(parts).map((part) => part.status);
    const status = states.includes("failed") ? "failed" : states.includes("degraded") ? "degraded" : "ok";
    return {
      status: ready ? status : status === "ok" ? "degraded" : status,
      ready,
      version: VERSION,
      uptimeSeconds: (Date.now() - boot.startedAtMs) / 1000,
      parts,
    };
  };
}

function threadsPart(boot: Boot): PartHealth {
  const { silent, threads } = threadsAlive(boot);
  if (silent.length === 0) return { status: "ok", detail: { threads } };
  return {
    status: "degraded",
    reason: `no sign of life from ${silent.join(", ")}`,
    detail: { threads, silent },
  };
}

function logPart(streams: readonly Float64Array[]): PartHealth {
  const names = Object.entries(STREAM_STATE);
  const detail = streams.map((facts, stream) => {
    const groups = facts[STREAM_FACT.groupCount]!;
    return {
      stream,
      state: names.find(([, code]) => code === facts[STREAM_FACT.state])?.[0] ?? "unknown",
      appended_sequence: facts[STREAM_FACT.appendedSequence]!,
      synced_sequence: facts[STREAM_FACT.syncedSequence]!,
      disk_bytes: facts[STREAM_FACT.diskBytes]!,
      groups,
      records_per_group: groups === 0 ? null : facts[STREAM_FACT.groupRecords]! / groups,
      sync_ms_mean: groups === 0 ? null : facts[STREAM_FACT.syncMs]! / groups,
      sync_ms_max: groups === 0 ? null : facts[STREAM_FACT.syncMsMax]!,
      replayed_records: facts[STREAM_FACT.replayedRecords]!,
      recovery_ms: facts[STREAM_FACT.recoveryMs]!,
      torn_bytes_cut: facts[STREAM_FACT.tornBytes]!,
    };
  });
  const failed = detail.find(({ state }) => state === "failed");
  if (failed !== undefined)
    return { status: "failed", reason: `stream ${failed.stream} has failed`, detail: { streams: detail } };
  const recovering = detail.find(({ state }) => state !== "ready");
  if (recovering !== undefined) {
    return {
      status: "degraded",
      reason: `stream ${recovering.stream} is ${recovering.state}`,
      detail: { streams: detail },
    };
  }
  return { status: "ok", detail: { streams: detail } };
}

function checkpointPart(streams: readonly Float64Array[]): PartHealth {
  const detail = streams.map((facts, stream) => ({
    stream,
    sequence: facts[STREAM_FACT.checkpointSequence]!,
    at:
      facts[STREAM_FACT.checkpointAtMs] === 0
        ? null
        : new Date(facts[STREAM_FACT.checkpointAtMs]!).toISOString(),
    took_ms: facts[STREAM_FACT.checkpointAtMs] === 0 ? null : facts[STREAM_FACT.checkpointMs]!,
    failures: facts[STREAM_FACT.checkpointFailures]!,
    records_since: facts[STREAM_FACT.appendedSequence]! - facts[STREAM_FACT.checkpointSequence]!,
  }));
  const failing = detail.find(({ failures }) => failures > 0);
  if (failing === undefined) return { status: "ok", detail: { streams: detail } };
  return {
    status: "degraded",
    reason: `${failing.failures} checkpoints of stream ${failing.stream} failed; the log keeps what they would have held`,
    detail: { streams: detail },
  };
}

function indexPart(spaces: readonly SpaceInfo[], tailMax: number): PartHealth {
  let indexed = 0;
  let tail = 0;
  let tailLongest = 0;
  for (const space of spaces) {
    indexed += space.indexed;
    tail += space.tail;
    tailLongest = Math.max(tailLongest, space.tail);
  }
  const detail = { spaces: spaces.length, indexed, tail, tail_longest: tailLongest, tail_max: tailMax };
  if (tailLongest < tailMax * TAIL_SHARE_DEGRADED) return { status: "ok", detail };
  return {
    status: "degraded",
    reason: "an unindexed tail is nearly full: writers are slowed to the indexer's pace",
    detail,
  };
}

function memoryPart(process: Float64Array): PartHealth {
  const byKind = { base: 0, transparent: 0, reserved: 0 };
  const byNode: Record<string, typeof byKind> = {};
  const refusals: Record<string, number> = {};
  const regions = listRegions();
  for (const region of regions) {
    byKind[region.kind] += region.bytes;
    byNode[nodesText(region)] ??= { base: 0, transparent: 0, reserved: 0 };
    byNode[nodesText(region)]![region.kind] += region.bytes;
    for (const [what, errno] of Object.entries(region.refusals)) {
      const key = `${what}: ${errno}`;
      refusals[key] = (refusals[key] ?? 0) + 1;
    }
  }
  return {
    status: "ok",
    detail: {
      resident_bytes: measured(process, PROCESS_FACT.rssBytes),
      regions: regions.length,
      mapped_bytes_by_page_kind: byKind,
      mapped_bytes_by_node: byNode,
      ...(Object.keys(refusals).length === 0 ? {} : { refused: refusals }),
    },
  };
}

/** The node that a region was granted on: "0"; "0,1" where it is spread over them; else "unbound". */
function nodesText({ asked, refusals }: RegisteredRegion): string {
  if (refusals.binding !== undefined) return "unbound";
  if (asked.interleaveNodes.length > 0) return asked.interleaveNodes.join();
  return asked.node === undefined ? "unbound" : String(asked.node);
}

function numaPart(boot: Boot): PartHealth {
  const { isPlaced, reason } = boot.placement;
  if (!isPlaced) return { status: "unavailable", reason };
  return {
    status: "ok",
    reason,
    detail: { writers: boot.writerCount, strategy: boot.settings.numa.strategy },
  };
}

function diskPart(process: Float64Array, streams: readonly Float64Array[]): PartHealth {
  const free = measured(process, PROCESS_FACT.dataDiskFreeBytes);
  const size = measured(process, PROCESS_FACT.dataDiskBytes);
  const detail = {
    free_bytes: free,
    size_bytes: size,
    open_files: measured(process, PROCESS_FACT.openFiles),
    open_files_max: measured(process, PROCESS_FACT.openFilesMax),
  };
  if (streams.some((facts) => facts[STREAM_FACT.diskFull] === 1)) {
    return {
      status: "failed",
      reason: "the log found no room on the disk; writes are refused, reads go on",
      detail,
    };
  }
  if (free === null || size === null) return { status: "unavailable", reason: "not sampled yet", detail };
  if (free < DISK_FREE_BYTES_MIN || free < size * DISK_FREE_SHARE_MIN) {
    return {
      status: "degraded",
      reason: `the data disk is filling: ${(free / 1024 ** 2).toFixed(0)} MiB are free`,
      detail,
    };
  }
  return { status: "ok", detail };
}

/** A sampled figure, or null where it could not be had or is old. */
function measured(process: Float64Array, at: number): number | null {
  const value = process[at]!;
  const age = Date.now() - process[PROCESS_FACT.sampledAtMs]!;
  return Number.isFinite(value) && age < SAMPLE_AGE_MS_MAX ? value : null;
}
