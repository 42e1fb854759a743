/**
 * What the kernel says of the process and the machine at one moment, for a profile: threads with what they ran and
 * waited, memory by what it holds and by page, input and output, NUMA nodes, pressure. Counts run since the start;
 * who wants rates takes two snapshots.
 *
 * It walks the page tables of the process, some ms for each GiB: for somebody who asked, not for every second.
 * What can not be had is named with the reason and what would help; nothing stands in for it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { processMemory } from "../base/process-facts.ts";
import { readNumaTopology } from "../ffi/libnuma.ts";
import { pagePlacement } from "../ffi/pages.ts";
import { listRegions, type RegisteredRegion, regionPages } from "../shm/region-registry.ts";
import { partOf } from "./node-sampler.ts";

export type HostThread = {
  /** the kernel's number of it */
  readonly id: number;
  /** as the thread named itself: "api-0"; the runtime's own have names of theirs */
  readonly name: string;
  /** R runs, S sleeps, D waits for a device */
  readonly state: string;
  readonly cpu_s: number;
  /** ready to run, and waiting for a core */
  readonly queued_s: number;
  readonly voluntary_switches: number;
  readonly involuntary_switches: number;
};

/** Regions of one purpose. */
export type HostPart = {
  readonly part: string;
  readonly mapped_bytes: number;
  readonly resident_bytes: number;
  readonly transparent_bytes: number;
  readonly reserved_bytes: number;
  readonly swapped_bytes: number;
  /** sampled pages that lie on the node they were asked for, and elsewhere; both 0 where none was asked for */
  readonly pages_placed: number;
  readonly pages_misplaced: number;
  /** sampled pages by node */
  readonly pages_by_node: Readonly<Record<string, number>>;
};

export type HostNode = {
  readonly node: number;
  readonly cpus: number;
  readonly total_bytes: number;
  readonly free_bytes: number;
  readonly distances: readonly number[];
};

export type Missing = { readonly what: string; readonly reason: string; readonly remedy: string };

export type HostSnapshot = {
  readonly at_ms: number;
  readonly pid: number;
  readonly cores: number;
  readonly threads: readonly HostThread[];
  readonly memory: {
    readonly resident_bytes: number;
    readonly anonymous_bytes: number;
    readonly file_bytes: number;
    readonly swapped_bytes: number;
    readonly hugetlb_bytes: number;
    /** transparent huge pages really in use, heaps included */
    readonly transparent_bytes: number | null;
  };
  readonly parts: readonly HostPart[];
  readonly io: { readonly read_bytes: number; readonly written_bytes: number } | null;
  readonly nodes: readonly HostNode[];
  /** µs in which at least one task of the machine waited for it (PSI) */
  readonly pressure_us: {
    readonly cpu: number | null;
    readonly io: number | null;
    readonly memory: number | null;
  };
  readonly missing: readonly Missing[];
};

/** The runtime's own sampler, as it is called: the end of "jsc.sampling-profiler.thread". */
export const SAMPLER_THREAD = "thread";
/** The kernel has it under the name of the program's file. */
const MAIN_THREAD = "main";
/** Pages of a region that are asked for their node. */
const PAGES_SAMPLED = 64;

export function hostSnapshot(wallMs: number): HostSnapshot {
  const missing: Missing[] = [];
  const orMissing = <T>(made: T | Missing): T | null => {
    if (made === null || typeof made !== "object" || !("remedy" in made)) return made as T;
    missing.push(made);
    return null;
  };
  const memory = processMemory();
  const topology = readNumaTopology();
  if (!topology.isAvailable) {
    missing.push({ what: "NUMA topology", reason: topology.reason, remedy: topology.remedy });
  }
  return {
    at_ms: wallMs,
    pid: process.pid,
    cores: availableParallelism(),
    threads: threads(),
    memory: {
      resident_bytes: memory.residentBytes,
      anonymous_bytes: memory.anonymousBytes,
      file_bytes: memory.fileBytes,
      swapped_bytes: memory.swappedBytes,
      hugetlb_bytes: memory.hugetlbBytes,
      transparent_bytes: orMissing(transparentBytes()),
    },
    parts: parts(missing),
    io: orMissing(inputOutput()),
    nodes: topology.isAvailable
      ? topology.nodes.map(({ node, cpus, totalBytes, freeBytes, distances }) => ({
          node,
          cpus: cpus.length,
          total_bytes: totalBytes,
          free_bytes: freeBytes,
          distances,
        }))
      : [],
    pressure_us: {
      cpu: orMissing(pressure("cpu")),
      io: orMissing(pressure("io")),
      memory: orMissing(pressure("memory")),
    },
    missing,
  };
}

function threads(): HostThread[] {
  return readdirSync("/proc/self/task").flatMap((id): HostThread[] => {
    const base = `/proc/self/task/${id}`;
    try {
      const [ran, queued] = readFileSync(`${base}/schedstat`, "utf8").split(" ").map(Number);
      const status = readFileSync(`${base}/status`, "utf8");
      const field = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)?.[1] ?? "";
      return [
        {
          id: Number(id),
          name: Number(id) === process.pid ? MAIN_THREAD : field("Name"),
          state: field("State").slice(0, 1),
          cpu_s: ran! / 1e9,
          queued_s: queued! / 1e9,
          voluntary_switches: Number(field("voluntary_ctxt_switches")),
          involuntary_switches: Number(field("nonvoluntary_ctxt_switches")),
        },
      ];
    } catch {
      return []; // It ended meanwhile.
    }
  });
}

function transparentBytes(): number | Missing {
  try {
    const text = readFileSync("/proc/self/smaps_rollup", "utf8");
    return Number(/^AnonHugePages:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
  } catch (error) {
    return {
      what: "transparent huge pages in use",
      reason: `/proc/self/smaps_rollup: ${codeOf(error)}`,
      remedy: "Boot a kernel with CONFIG_PROC_PAGE_MONITOR",
    };
  }
}

function inputOutput(): { read_bytes: number; written_bytes: number } | Missing {
  try {
    const text = readFileSync("/proc/self/io", "utf8");
    const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1] ?? 0);
    return { read_bytes: field("read_bytes"), written_bytes: field("write_bytes") };
  } catch (error) {
    return {
      what: "bytes read from and written to disks",
      reason: `/proc/self/io: ${codeOf(error)}`,
      remedy: "Boot a kernel with CONFIG_TASK_IO_ACCOUNTING; a sandbox may hide it, too (ProcSubset=)",
    };
  }
}

function pressure(what: "cpu" | "io" | "memory"): number | Missing {
  try {
    const text = readFileSync(`/proc/pressure/${what}`, "utf8");
    return Number(/^some .*total=(\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  } catch (error) {
    return {
      what: `pressure on ${what} (PSI)`,
      reason: `/proc/pressure/${what}: ${codeOf(error)}`,
      remedy: "Boot with psi=1; a sandbox may hide it, too (ProcSubset=)",
    };
  }
}

/** Regions summed up by what they hold, with where their pages lie and on what kind of page. */
function parts(missing: Missing[]): HostPart[] {
  const regions = listRegions();
  const pages = pagesOf(regions, missing);
  const byPart = new Map<string, { -readonly [K in keyof HostPart]: HostPart[K] }>();
  for (const region of regions) {
    const name = partOf(region.purpose);
    const sum = byPart.get(name) ?? {
      part: name,
      mapped_bytes: 0,
      resident_bytes: 0,
      transparent_bytes: 0,
      reserved_bytes: 0,
      swapped_bytes: 0,
      pages_placed: 0,
      pages_misplaced: 0,
      pages_by_node: {},
    };
    const own = pages?.get(region.address);
    sum.mapped_bytes += region.bytes;
    sum.resident_bytes += own?.resident ?? 0;
    sum.transparent_bytes += own?.transparent ?? 0;
    sum.reserved_bytes += own?.reserved ?? 0;
    sum.swapped_bytes += own?.swapped ?? 0;
    place(region, sum, missing);
    byPart.set(name, sum);
  }
  return [...byPart.values()].sort((a, b) => b.mapped_bytes - a.mapped_bytes);
}

function pagesOf(regions: readonly RegisteredRegion[], missing: Missing[]) {
  try {
    return regionPages(regions);
  } catch (error) {
    missing.push({
      what: "pages of regions in memory",
      reason: `/proc/self/smaps: ${codeOf(error)}`,
      remedy: "Boot a kernel with CONFIG_PROC_PAGE_MONITOR",
    });
    return undefined;
  }
}

function place(
  region: RegisteredRegion,
  sum: { -readonly [K in keyof HostPart]: HostPart[K] },
  missing: Missing[],
): void {
  const found = pagePlacement(region.address, region.bytes, PAGES_SAMPLED);
  if (typeof found === "string") {
    const what = "nodes on which pages lie";
    if (missing.some((each) => each.what === what)) return;
    missing.push({
      what,
      reason: `move_pages: ${found}`,
      remedy: "Boot a kernel with CONFIG_MIGRATION; allow the call in the sandbox (SystemCallFilter=)",
    });
    return;
  }
  const byNode: Record<string, number> = { ...sum.pages_by_node };
  for (const [node, count] of found.nodes) {
    byNode[node] = (byNode[node] ?? 0) + count;
    if (region.asked.node === undefined) continue;
    if (node === region.asked.node) sum.pages_placed += count;
    else sum.pages_misplaced += count;
  }
  sum.pages_by_node = byNode;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
