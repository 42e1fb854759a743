/**
 * What the kernel says of this process: memory, threads, limits. Read from /proc when asked, some 50 µs each;
 * only `residentByNode` walks all page tables (ms for each GiB).
 */
import { readdirSync, readFileSync } from "node:fs";

export type ProcessMemory = {
  /** all pages in memory, huge ones included */
  readonly residentBytes: number;
  /** not backed by files: heaps, regions */
  readonly anonymousBytes: number;
  /** files mapped: the program, libraries */
  readonly fileBytes: number;
  readonly hugetlbBytes: number;
  readonly swappedBytes: number;
  readonly lockedBytes: number;
};

export function processMemory(): ProcessMemory {
  const fields = statusFields();
  const bytes = (name: string): number => Number.parseInt(fields.get(name) ?? "0", 10) * 1024;
  return {
    /* VmRSS leaves reserved huge pages out. */
    residentBytes: bytes("VmRSS") + bytes("HugetlbPages"),
    anonymousBytes: bytes("RssAnon"),
    fileBytes: bytes("RssFile"),
    hugetlbBytes: bytes("HugetlbPages"),
    swappedBytes: bytes("VmSwap"),
    lockedBytes: bytes("VmLck"),
  };
}

/** Threads of the process, the runtime's own included. */
export function threadCount(): number {
  return Number.parseInt(statusFields().get("Threads") ?? "0", 10);
}

/** Open file descriptors, sockets included. */
export function openFileCount(): number {
  return readdirSync("/proc/self/fd").length;
}

export type ProcessLimits = {
  /** Infinity where unlimited */
  readonly openFiles: number;
  readonly lockedBytes: number;
  readonly addressSpaceBytes: number;
};

/** The soft limits that an appliance meets. */
export function processLimits(): ProcessLimits {
  const text = readFileSync("/proc/self/limits", "utf8");
  const soft = (name: string): number => {
    const found = new RegExp(`^${name} +(\\S+)`, "m").exec(text)?.[1];
    return found === undefined || found === "unlimited" ? Number.POSITIVE_INFINITY : Number(found);
  };
  return {
    openFiles: soft("Max open files"),
    lockedBytes: soft("Max locked memory"),
    addressSpaceBytes: soft("Max address space"),
  };
}

/**
 * Bytes in memory by NUMA node.
 *
 * @returns undefined where this kernel has no numa_maps
 */
export function residentByNode(): Map<number, number> | undefined {
  let text: string;
  try {
    text = readFileSync("/proc/self/numa_maps", "utf8");
  } catch {
    return undefined;
  }
  const bytesByNode = new Map<number, number>();
  for (const line of text.split("\n")) {
    const pageBytes = Number(/ kernelpagesize_kB=(\d+)/.exec(line)?.[1] ?? 4) * 1024;
    for (const [, node, pages] of line.matchAll(/ N(\d+)=(\d+)/g)) {
      const before = bytesByNode.get(Number(node)) ?? 0;
      bytesByNode.set(Number(node), before + Number(pages) * pageBytes);
    }
  }
  return bytesByNode;
}

function statusFields(): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of readFileSync("/proc/self/status", "utf8").split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}
