/**
 * The collector's thread, one per NUMA node, kept to that node's cores. It samples what nobody can count while
 * it happens (memory, descriptors, processor time, the data disk) and sums up the lanes of its node's threads,
 * once a second.
 */
import { statfsSync } from "node:fs";
import { openFileCount, processLimits, processMemory, threadCount } from "../base/process-facts.ts";
import { PROCESS_FACT } from "../layout/process-facts.ts";
import { CostMeter } from "../observe/cost-meter.ts";
import { laneCells, nodeCells } from "../observe/metric-region.ts";
import { numaNodes, sampleNumaNode, sampleRegions } from "../observe/node-sampler.ts";
import { NodeRollup } from "../observe/rollup.ts";
import { durationSeries } from "../observe/series.ts";
import { startThreadSampler } from "../observe/thread-sampler.ts";
import { openAlerts } from "./alerts.ts";
import type { Boot, ToThread } from "./boot.ts";
import { openEvents } from "./events.ts";
import { openHardwareWatch } from "./hardware-watch.ts";
import { openHistory } from "./history.ts";
import { openLane, openMeterClock } from "./metric-lanes.ts";
import { openOtlp } from "./otlp.ts";
import { switchedSampler } from "./switched-sampler.ts";
import { aliveMarker, failThread, tellMain } from "./thread.ts";

const SAMPLE_MS = 1000;
/** The list of regions is long where there are many spaces; it is read as often as costs this share of a core. */
const REGION_LIST_SHARE_MAX = 0.0005;
const REGION_LIST_MS_MAX = 10_000;

export async function startCollector(boot: Boot): Promise<(message: ToThread) => void> {
  const alive = aliveMarker(boot);
  const { monitoring } = boot.settings;
  // Opened once: what it holds, the history above all, outlives a pause.
  let watching = monitoring.enabled ? openWatching(boot) : undefined;
  const facts = new Float64Array(boot.shared.processFacts);
  const sample = (): void => {
    alive();
    if (monitoring.enabled) watching?.sample();
    // Everything at one moment, over all nodes, has one owner: process-wide figures, which health shows, too.
    if (boot.ordinal !== 0) return;
    sampleProcessFacts(facts, boot.dataDirectory);
    if (monitoring.enabled) watching?.record();
  };
  sample();
  const otlp = boot.ordinal === 0 ? await openOtlp(boot, openLane(boot)) : undefined;
  const timer = setInterval(sample, SAMPLE_MS);
  tellMain({ type: "ready" });
  return (message) => {
    if (message.type === "settings") {
      if (monitoring.enabled) watching ??= openWatching(boot);
      watching?.followSettings();
    }
    if (message.type !== "shutdown") return;
    clearInterval(timer);
    watching?.close();
    Promise.resolve(otlp?.close()).then(() => tellMain({ type: "stopped" }), failThread);
  };
}

/** What is sampled for metrics alone. */
function openWatching(boot: Boot) {
  const lane = openLane(boot);
  const nowMs = openMeterClock();
  const { rollup, block } = openRollup(boot);
  const cost = new CostMeter({ lane, block, nowMs });
  const rollups = durationSeries("engram_observe_rollup_duration_seconds", {});
  const nodes = boot.place.node === undefined ? numaNodes() : [boot.place.node];
  // Closed in a pause: counters cost at each change of threads on a core, whoever reads them.
  let hardware: ReturnType<typeof openHardwareWatch> | undefined = openHardwareWatch(boot, lane);
  let regionsDueAtMs = 0;
  const sampler = switchedSampler(boot, () => startThreadSampler(lane, nowMs));
  const history = boot.ordinal === 0 ? openHistory(boot) : undefined;
  const alerts = boot.ordinal === 0 ? openAlerts(boot, { lane, nowMs, events: openEvents(boot) }) : undefined;
  const sample = (): void => {
    for (const node of nodes) sampleNumaNode(lane, node);
    if (boot.ordinal === 0 && nowMs() >= regionsDueAtMs) {
      const listedAtMs = nowMs();
      sampleRegions(lane);
      const restMs = (nowMs() - listedAtMs) / REGION_LIST_SHARE_MAX;
      regionsDueAtMs = nowMs() + Math.min(REGION_LIST_MS_MAX, restMs);
    }
    hardware?.sample();
    const startedAtMs = nowMs();
    rollup.roll();
    lane.record(rollups, nowMs() - startedAtMs);
    cost.sample();
  };
  const record = (): void => {
    history?.tick();
    // Right after, so that rules see this second.
    alerts?.tick(Date.now());
  };
  const close = (): void => {
    alerts?.close();
    history?.close();
  };
  const followSettings = (): void => {
    sampler.followSettings();
    if (boot.settings.monitoring.enabled) hardware ??= openHardwareWatch(boot, lane);
    else {
      hardware?.close();
      hardware = undefined;
    }
  };
  return { sample, record, close, followSettings };
}

function sampleProcessFacts(facts: Float64Array, dataDirectory: string): void {
  const disk = attempt(() => statfsSync(dataDirectory));
  const usage = process.cpuUsage();
  facts[PROCESS_FACT.rssBytes] = attempt(() => processMemory().residentBytes) ?? Number.NaN;
  facts[PROCESS_FACT.openFiles] = attempt(openFileCount) ?? Number.NaN;
  facts[PROCESS_FACT.openFilesMax] = attempt(() => processLimits().openFiles) ?? Number.NaN;
  facts[PROCESS_FACT.threads] = attempt(threadCount) ?? Number.NaN;
  facts[PROCESS_FACT.dataDiskFreeBytes] = disk === undefined ? Number.NaN : disk.bavail * disk.bsize;
  facts[PROCESS_FACT.dataDiskBytes] = disk === undefined ? Number.NaN : disk.blocks * disk.bsize;
  facts[PROCESS_FACT.cpuSeconds] = (usage.user + usage.system) / 1e6;
  facts[PROCESS_FACT.sampledAtMs] = Date.now();
}

/** Sums up the lanes of the threads on this collector's node. */
function openRollup(boot: Boot): { readonly rollup: NodeRollup; readonly block: Float64Array } {
  const { regions, lanes } = boot.shared.metrics;
  const mine = lanes.find(({ thread }) => thread === `collector-${boot.ordinal}`)!;
  const region = regions[mine.region]!;
  const cells = Array.from({ length: region.laneCount }, (_, index) => laneCells(region, index));
  const block = nodeCells(region);
  return { rollup: new NodeRollup(cells, block), block };
}

/** A figure that /proc does not give here is left unmeasured. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
