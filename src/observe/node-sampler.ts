/**
 * What a collector reads from the kernel and the registry of regions once a second, into its own lane: memory by
 * what it holds and by page, and how the kernel allocated on its NUMA node.
 */
import { readdirSync, readFileSync } from "node:fs";
import { listRegions } from "../shm/region-registry.ts";
import { MEMORY_PARTS, NODE_NAMES, NUMA_EVENTS, PAGE_KINDS } from "./catalogue.ts";
import type { MetricLane } from "./lane.ts";
import { levelSeries } from "./series.ts";

type MemoryPart = (typeof MEMORY_PARTS)[number];

/** The part a region belongs to, by how its purpose ends: "space default: forward lists". */
const PART_BY_ENDING: readonly (readonly [RegExp, MemoryPart])[] = [
  [/chunk table$/, "tables"],
  [/: headers$/, "headers"],
  [/: quantised vectors$/, "quantised"],
  [/: vectors$/, "vectors"],
  [/: (content|forward lists)$/, "contents"],
  [/: postings$/, "postings"],
  [/: terms$/, "terms"],
  [/: (ids|term hashes)$/, "tables"],
  [/^metrics/, "metrics"],
  [/history/, "history"],
];

export function partOf(purpose: string): MemoryPart {
  return PART_BY_ENDING.find(([ending]) => ending.test(purpose))?.[1] ?? "other";
}

/** Memory mapped in regions, of the whole process: for one collector. Some us a region. */
export function sampleRegions(lane: MetricLane): void {
  const byPart = new Map<string, number>();
  const byNode = new Map<string, number>();
  for (const { purpose, kind, bytes, asked } of listRegions()) {
    const part = `${partOf(purpose)} ${kind}`;
    byPart.set(part, (byPart.get(part) ?? 0) + bytes);
    if (asked.node !== undefined) {
      const node = String(asked.node);
      byNode.set(node, (byNode.get(node) ?? 0) + bytes);
    }
  }
  for (const part of MEMORY_PARTS) {
    for (const page of PAGE_KINDS) {
      const bytes = byPart.get(`${part} ${page}`);
      lane.set(levelSeries("engram_memory_bytes", { part, page }), bytes ?? Number.NaN);
    }
  }
  for (const node of NODE_NAMES) {
    lane.set(levelSeries("engram_memory_node_bytes", { node }), byNode.get(node) ?? Number.NaN);
  }
}

/** How the kernel allocated on a node, since the machine started. A file that is not there sets nothing. */
export function sampleNumaNode(
  lane: MetricLane,
  node: number,
  read: (path: string) => string = readText,
): void {
  const name = NODE_NAMES[node];
  if (name === undefined) return;
  const base = `/sys/devices/system/node/node${node}`;
  const counts = new Map<string, string>();
  for (const [, event, count] of read(`${base}/numastat`).matchAll(/^(\w+) (\d+)$/gm)) {
    counts.set(event!, count!);
  }
  for (const event of NUMA_EVENTS) {
    const count = counts.get(event);
    const pages = count === undefined ? Number.NaN : Number(count);
    lane.set(levelSeries("engram_numa_pages_total", { node: name, event }), pages);
  }
  const meminfo = read(`${base}/meminfo`);
  const field = (which: string): number => {
    const found = new RegExp(`${which}:\\s+(\\d+) kB`).exec(meminfo);
    return found === null ? Number.NaN : Number(found[1]) * 1024;
  };
  lane.set(levelSeries("engram_numa_memory_bytes", { node: name, state: "free" }), field("MemFree"));
  lane.set(levelSeries("engram_numa_memory_bytes", { node: name, state: "used" }), field("MemUsed"));
}

/** The numbers of the machine's NUMA nodes; none where the kernel shows none. */
export function numaNodes(): number[] {
  try {
    const names = readdirSync("/sys/devices/system/node");
    return names.flatMap((name) => (/^node\d+$/.test(name) ? [Number(name.slice(4))] : []));
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
