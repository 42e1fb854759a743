/**
 * The vector graph and its kernels through the shim (native/vector-*.cpp, native/kernel-*.c): plain functions
 * on addresses, and the two blocks that JavaScript fills in for C.
 *
 * A graph is shared by address: one inserter, any number of searchers, each with a searcher of its own. What
 * the functions promise stands at their C comments; `src/index/` wraps them.
 */
import { type Pointer, ptr } from "bun:ffi";
import { assert } from "../base/assert.ts";
import { OperatorError } from "../base/errors.ts";
import { QUANTIZATION, type Quantization } from "../layout/space-root.ts";
import { errnoName, isErrno, openShim } from "./library.ts";

const shim = openShim({
  shim_vector_bytes: { args: ["u32", "u32"], returns: "i32" },
  shim_vector_quantise: { args: ["u32", "ptr", "ptr", "u32"], returns: "i32" },
  shim_vector_normalise: { args: ["ptr", "ptr", "u32"], returns: "f64" },
  shim_vector_dot: {
    args: ["u32", "u32", "ptr", "ptr", "u32", "u32", "u32", "u32", "ptr"],
    returns: "i32",
  },
  shim_vector_open: { args: ["ptr", "ptr"], returns: "i32" },
  shim_vector_close: { args: ["ptr"], returns: "i32" },
  shim_vector_add: { args: ["ptr", "u32", "u32", "ptr"], returns: "i32" },
  shim_vector_stats: { args: ["ptr", "ptr"], returns: "i32" },
  shim_vector_quantise_slots: { args: ["ptr", "u32", "u32", "u32"], returns: "i32" },
  shim_vector_repair: { args: ["ptr", "u32", "ptr"], returns: "i32" },
  shim_vector_save: { args: ["ptr", "i32", "u64", "ptr"], returns: "i32" },
  shim_vector_load: { args: ["ptr", "i32", "u64", "u32"], returns: "i32" },
  shim_vector_searcher_open: { args: ["ptr"], returns: "i32" },
  shim_vector_searcher_close: { args: ["ptr"], returns: "i32" },
  shim_vector_search: {
    args: ["ptr", "ptr", "ptr", "ptr", "ptr", "ptr", "ptr", "ptr"],
    returns: "i32",
  },
  shim_vector_similarities: { args: ["ptr", "ptr", "ptr", "u32", "ptr"], returns: "i32" },
  shim_vector_filter_slots: { args: ["ptr", "ptr", "u32", "ptr", "u32", "ptr"], returns: "i32" },
});

/** An arena as C reads it: the address of its table of chunk addresses, log2 of slots per chunk, bytes per slot. */
export type NativeSlotArena = {
  readonly tableAddress: number;
  readonly chunkShift: number;
  readonly strideBytes: number;
};
/** A byte arena: records never span two chunks. */
export type NativeByteArena = { readonly tableAddress: number; readonly chunkBytes: number };

export type GraphConfig = {
  readonly dimensions: number;
  readonly quantization: Quantization;
  /** links per node on the upper levels, 2 to 256; twice as many on the base level */
  readonly M: number;
  readonly efConstruction: number;
  /** NUMA node that its memory is asked from; -1: wherever the kernel likes */
  readonly node: number;
  /** NUMA nodes to spread its memory over, in place of `node` */
  readonly interleaveNodes?: readonly number[] | undefined;
  /** nodes at most: sets how much address space, not memory, is reserved */
  readonly nodesMax: number;
  readonly headers: NativeSlotArena;
  readonly exact: NativeSlotArena;
  /** for f32 the same arena as `exact` */
  readonly quantised: NativeSlotArena;
  readonly content: NativeByteArena;
};

/** Word index (u32) in a search request: what is asked, then what is answered. */
export const SEARCH_WORD = {
  k: 0,
  ef: 1,
  nodeCount: 2,
  indexedCount: 3,
  /** candidates measured exactly; 0: by quantization */
  rerank: 4,
  /** a SEARCH_PLAN */
  plan: 5,
  /** with plan `scan`: the first slot looked at */
  firstSlot: 6,
  /** concepts wanted beside, at most CONCEPTS_BESIDE_MAX, then how many were met; they stand from k on */
  concepts: 7,
  /** nodes whose neighbours were looked at */
  visited: 8,
  /** distances measured on quantised vectors */
  distances: 9,
  /** slots an exact scan went over, the tail's among them */
  scanned: 10,
  reranked: 11,
  /** the SEARCH_PLAN that was taken for the indexed slots; 0 where there are none */
  planUsed: 12,
  /** slots of the scans that passed */
  matched: 13,
  /** estimated share of slots that pass, in millionths */
  selectivityPpm: 14,
  beamLongest: 15,
} as const;
export const SEARCH_WORDS = 16;
export const CONCEPTS_BESIDE_MAX = 16;

/** `walkThenScan` is answered, never asked: the walk was given up. */
export const SEARCH_PLAN = { auto: 0, walk: 1, scan: 2, walkThenScan: 3 } as const;
export const VIA = { index: 0, tail: 1, scan: 2 } as const;

/** Which implementation of a dot product; `best` is what searches run. */
export const KERNEL_VARIANT = { best: 0, serial: 1, numkong: 2, avx512: 3 } as const;

const CONFIG_BYTES = 96;

/**
 * Makes an empty graph and returns its address.
 *
 * @throws {OperatorError} `vector-index-failed` without memory
 */
export function openGraph(config: GraphConfig): number {
  const block = new DataView(new ArrayBuffer(CONFIG_BYTES));
  block.setUint32(0, config.dimensions, true);
  block.setUint32(4, QUANTIZATION[config.quantization], true);
  block.setUint32(8, config.M, true);
  block.setUint32(12, config.efConstruction, true);
  block.setInt32(16, config.node, true);
  block.setUint32(20, config.nodesMax, true);
  let at = 24;
  for (const arena of [config.headers, config.exact, config.quantised]) {
    block.setBigUint64(at, BigInt(arena.tableAddress), true);
    block.setUint32(at + 8, arena.chunkShift, true);
    block.setUint32(at + 12, arena.strideBytes, true);
    at += 16;
  }
  block.setBigUint64(at, BigInt(config.content.tableAddress), true);
  block.setBigUint64(at + 8, BigInt(config.content.chunkBytes), true);
  let interleaveMask = 0n;
  for (const node of config.interleaveNodes ?? []) interleaveMask |= 1n << BigInt(node);
  block.setBigUint64(at + 16, interleaveMask, true);
  const address = new BigUint64Array(1);
  check(shim.shim_vector_open(ptr(block), ptr(address)), "open a vector graph");
  return Number(address[0]);
}

/** Frees a graph that no thread is in, or will use again. */
export function closeGraph(graph: number): void {
  check(shim.shim_vector_close(graph as Pointer), "close a vector graph");
}

const addCounts = new Uint32Array(2);

/**
 * Links the slots `[firstSlot, firstSlot + count)` that are live and have a vector, skips the others for good,
 * and returns how many were linked. `firstSlot` is where the last call ended.
 *
 * @throws {OperatorError} `vector-index-full` at the limit of nodes, `vector-index-failed` without memory
 */
export function addToGraph(graph: number, firstSlot: number, count: number): number {
  const answer = shim.shim_vector_add(graph as Pointer, firstSlot, count, ptr(addCounts));
  if (isErrno(answer, "ENOSPC")) {
    throw new OperatorError({
      code: "vector-index-full",
      message: `Cannot index slot ${firstSlot}: the graph holds as many vectors as it was opened for`,
      remedy: "Raise spaces.max_memories and restart",
    });
  }
  check(answer, `index slots from ${firstSlot} on`);
  return addCounts[0]!;
}

/** Nodes, covered slots, top level, M, efConstruction, quantization code, bytes used, address space reserved, twins. */
export function graphStats(graph: number, out: Float64Array): void {
  assert(out.length >= 9, "stats are 9 numbers");
  check(shim.shim_vector_stats(graph as Pointer, ptr(out)), "read a graph's figures");
}

/** Fills the quantised arena from the exact one, with several threads. */
export function quantiseSlots(graph: number, firstSlot: number, count: number, threads: number): void {
  check(shim.shim_vector_quantise_slots(graph as Pointer, firstSlot, count, threads), "quantise vectors");
}

/** Links unreachable nodes again; returns how many there were before and after. */
export function repairGraph(graph: number, rounds: number): { before: number; after: number } {
  const counts = new Uint32Array(2);
  check(shim.shim_vector_repair(graph as Pointer, rounds, ptr(counts)), "repair a vector graph");
  return { before: counts[0]!, after: counts[1]! };
}

export type SavedGraph = { readonly bytes: number; readonly covered: number; readonly nodes: number };

/** Writes a graph into an open file, unsynced. Returns it, or the negative errno of the write. */
export function saveGraph(graph: number, fd: number, fileOffset: number): SavedGraph | number {
  const sizes = new Float64Array(3);
  const answer = shim.shim_vector_save(graph as Pointer, fd, fileOffset, ptr(sizes));
  if (answer < 0) return answer;
  return { bytes: sizes[0]!, covered: sizes[1]!, nodes: sizes[2]! };
}

/** Fills an empty graph from a file. Returns 0, or a negative errno as shim_vector_load says. */
export function loadGraph(graph: number, fd: number, fileOffset: number, slotsMax: number): number {
  return shim.shim_vector_load(graph as Pointer, fd, fileOffset, slotsMax);
}

export function openSearcher(): number {
  const address = new BigUint64Array(1);
  check(shim.shim_vector_searcher_open(ptr(address)), "open a vector searcher");
  return Number(address[0]);
}

export function closeSearcher(searcher: number): void {
  check(shim.shim_vector_searcher_close(searcher as Pointer), "close a vector searcher");
}

export type SearchArrays = {
  readonly words: Uint32Array;
  readonly slots: Uint32Array;
  readonly similarities: Float32Array;
  readonly via: Uint8Array;
};

/** One search; `arrays.words` is a request (SEARCH_WORD). Returns the number of results. */
export function searchGraph(
  graph: number,
  searcher: number,
  query: Float32Array,
  filter: Uint8Array | undefined,
  arrays: SearchArrays,
): number {
  const answer = shim.shim_vector_search(
    graph as Pointer,
    searcher as Pointer,
    query,
    filter ?? null,
    arrays.words,
    arrays.slots,
    arrays.similarities,
    arrays.via,
  );
  if (answer < 0) check(answer, "search a vector graph");
  return answer;
}

/** Exact cosines of a unit query with slots; 0 for a slot without a vector. */
export function slotSimilarities(
  graph: number,
  query: Float32Array,
  slots: Uint32Array,
  count: number,
  out: Float32Array,
): void {
  assert(count <= slots.length, "the slots are in the array");
  assert(count <= out.length, "the array takes all similarities");
  if (count === 0) return;
  check(
    shim.shim_vector_similarities(graph as Pointer, query, slots, count, out),
    "compare a query with memories",
  );
}

/** Writes 1 for each slot that is live and passes the filter, else 0. */
export function filterSlots(
  graph: number,
  filter: Uint8Array | undefined,
  nodeCount: number,
  slots: Uint32Array,
  count: number,
  out: Uint8Array,
): void {
  assert(count <= slots.length, "the slots are in the array");
  assert(count <= out.length, "the array takes all answers");
  if (count === 0) return;
  check(
    shim.shim_vector_filter_slots(graph as Pointer, filter ?? null, nodeCount, slots, count, out),
    "filter memories",
  );
}

/** Converts the f32 vector at one address into the quantised one at another. */
export function quantiseVector(
  quantization: Quantization,
  fromAddress: number,
  toAddress: number,
  dimensions: number,
): void {
  const answer = shim.shim_vector_quantise(
    QUANTIZATION[quantization],
    fromAddress as Pointer,
    toAddress as Pointer,
    dimensions,
  );
  assert(answer === 0, "the quantisation is one that the kernels know");
}

/** Bytes of a quantised vector as C counts them. */
export function nativeVectorBytes(quantization: Quantization, dimensions: number): number {
  return shim.shim_vector_bytes(QUANTIZATION[quantization], dimensions);
}

export type DotRun = {
  readonly quantization: Quantization;
  readonly variant: keyof typeof KERNEL_VARIANT;
  readonly dimensions: number;
  /** vectors compared with the first, `strideBytes` apart */
  readonly count: number;
  readonly strideBytes: number;
  readonly rounds: number;
};

/** Dot products of `a` with vectors from `b` on. False where this processor can not run the variant. */
export function runDot(run: DotRun, a: Uint8Array, b: Uint8Array, out: Float32Array): boolean {
  assert(out.length >= run.count, "the array takes all products");
  const answer = shim.shim_vector_dot(
    QUANTIZATION[run.quantization],
    KERNEL_VARIANT[run.variant],
    a,
    b,
    run.dimensions,
    run.count,
    run.strideBytes,
    run.rounds,
    out,
  );
  if (isErrno(answer, "ENOSYS")) return false;
  check(answer, "run a kernel");
  return true;
}

function check(answer: number, action: string): void {
  assert(!isErrno(answer, "EINVAL"), `the shim was asked to ${action} with arguments it can not take`);
  if (answer >= 0) return;
  throw new OperatorError({
    code: "vector-index-failed",
    message: `Cannot ${action}: ${errnoName(-answer)}`,
    remedy: "Give the appliance more memory, or hold fewer memories in it",
  });
}

/**
 * Writes `from` scaled to length 1 into `to`, and returns the length it had. Where that is 0 or not finite,
 * nothing is written.
 */
export function normaliseVector(from: Float32Array, to: Float32Array): number {
  assert(to.length >= from.length && from.length > 0, "there is room for every number");
  return shim.shim_vector_normalise(ptr(from), ptr(to), from.length);
}
