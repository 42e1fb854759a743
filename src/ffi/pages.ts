/**
 * Memory from the kernel, with its pages and its NUMA node: the binding of `native/pages.c`.
 *
 * `src/shm/region.ts` is what the rest of the program uses.
 */
import { ptr, toArrayBuffer } from "bun:ffi";
import { assert } from "../base/assert.ts";
import { OperatorError } from "../base/errors.ts";
import { errnoName, openShim } from "./library.ts";

export const HUGE_PAGE_BYTES: number = 2 * 1024 * 1024;

export type HugePages = "off" | "try" | "require";
/** reserved: hugetlb pages; transparent: 2 MiB pages asked of the kernel, which gives them where it can */
export type PageKind = "base" | "transparent" | "reserved";

export type Populate = "none" | "reserved" | "all";

export type PagesWish = {
  /** a multiple of the base page */
  readonly bytes: number;
  readonly hugePages: HugePages;
  /** NUMA node; undefined leaves it to the kernel */
  readonly node?: number | undefined;
  /** nodes to spread the pages over, in place of `node` */
  readonly interleaveNodes?: readonly number[] | undefined;
  /**
   * "none": pages come as they are touched, never reserved huge ones (a touch that finds a node's pool empty
   * kills the process). "reserved": reserved huge pages at once, or else others as they are touched.
   * "all": all pages at once.
   */
  readonly populate: Populate;
  /** never swap it out */
  readonly lock?: boolean | undefined;
};

/** Why something asked for was not given, as errno numbers; 0 where it was given, or not asked for. */
export type PagesErrnos = {
  readonly reservedPages: number;
  readonly transparentPages: number;
  readonly binding: number;
  readonly locking: number;
};

export type PagesGrant = {
  readonly address: number;
  readonly bytes: number;
  readonly kind: PageKind;
  readonly errnos: PagesErrnos;
};

/** The same by errno name, without what was given: `{ binding: "EPERM" }`. */
export function refusalsOf(errnos: PagesErrnos): { readonly [Key in keyof PagesErrnos]?: string } {
  const refused = Object.entries(errnos).filter(([, errno]) => errno !== 0);
  return Object.fromEntries(refused.map(([what, errno]) => [what, errnoName(errno)]));
}

/** Codes in `native/pages.c` */
const HUGE_CODE: Record<HugePages, number> = { off: 0, try: 1, require: 2 };
const POPULATE_CODE: Record<Populate, number> = { none: 0, reserved: 1, all: 2 };
const KINDS = ["base", "transparent", "reserved"] as const;
const WISH_BYTES = 32;
const GRANT_BYTES = 40;
const NODES_MAX = 64;

const shim = openShim({
  shim_pages_map: { args: ["ptr", "ptr"], returns: "i32" },
  shim_pages_unmap: { args: ["u64", "u64"], returns: "i32" },
  shim_pages_populate: { args: ["u64", "u64"], returns: "i32" },
  shim_pages_discard: { args: ["u64", "u64"], returns: "i32" },
  shim_pages_nodes: { args: ["u64", "u64", "u32", "ptr", "ptr"], returns: "i32" },
});

/**
 * Maps zeroed memory, aligned to 2 MiB where it is that large, between two inaccessible pages.
 *
 * @throws {OperatorError} `memory-refused`: no memory, or huge pages are required and none is free
 */
export function mapPages(wish: PagesWish): PagesGrant {
  assert(wish.bytes > 0 && Number.isSafeInteger(wish.bytes), "a mapping has a whole number of bytes");
  assert(wish.node === undefined || (wish.node >= 0 && wish.node < NODES_MAX), "NUMA nodes are 0 to 63");
  let mask = 0n;
  for (const node of wish.interleaveNodes ?? []) mask |= 1n << BigInt(node);
  const asked = new DataView(new ArrayBuffer(WISH_BYTES));
  asked.setBigUint64(0, BigInt(wish.bytes), true);
  asked.setBigUint64(8, mask, true);
  asked.setInt32(16, wish.node ?? -1, true);
  asked.setInt32(20, HUGE_CODE[wish.hugePages], true);
  asked.setInt32(24, POPULATE_CODE[wish.populate], true);
  asked.setInt32(28, wish.lock === true ? 1 : 0, true);
  const granted = new DataView(new ArrayBuffer(GRANT_BYTES));
  const answer = shim.shim_pages_map(ptr(asked), ptr(granted));
  if (answer < 0) throw refused(wish, errnoName(-answer));
  const kind = KINDS[granted.getInt32(16, true)];
  assert(kind !== undefined, "the shim grants one of three kinds of page");
  const errnos = {
    reservedPages: granted.getInt32(20, true),
    binding: granted.getInt32(24, true),
    transparentPages: granted.getInt32(28, true),
    locking: granted.getInt32(32, true),
  };
  return { address: Number(granted.getBigUint64(0, true)), bytes: wish.bytes, kind, errnos };
}

/** Gives a whole mapping back. Nobody may touch it any more: views of it would fault. */
export function unmapPages(address: number, bytes: number): void {
  const answer = shim.shim_pages_unmap(address, bytes);
  assert(answer === 0, `a mapping can be given back (${errnoName(-answer)})`);
}

/** Brings the pages of a part in. @throws {OperatorError} `memory-refused` where a touch would kill the process */
export function populatePages(address: number, bytes: number): void {
  const answer = shim.shim_pages_populate(address, bytes);
  if (answer < 0) throw refused({ bytes, hugePages: "off", populate: "all" }, errnoName(-answer));
}

/** Lets the pages of a part go; it reads as zeros again. */
export function discardPages(address: number, bytes: number): void {
  const answer = shim.shim_pages_discard(address, bytes);
  assert(answer === 0, `pages of a mapping can be discarded (${errnoName(-answer)})`);
}

export type PagePlacement = {
  /** pages of the sample by node */
  readonly nodes: ReadonlyMap<number, number>;
  /** pages of the sample that were never touched */
  readonly absent: number;
};

/**
 * On which nodes the pages lie, from a sample evenly spread over the range.
 *
 * @returns the counts, or the errno's name where the kernel does not say
 */
export function pagePlacement(address: number, bytes: number, sampleCount = 256): PagePlacement | string {
  const counts = new Uint32Array(NODES_MAX);
  const absent = new Uint32Array(1);
  const answer = shim.shim_pages_nodes(address, bytes, sampleCount, ptr(counts), ptr(absent));
  if (answer < 0) return errnoName(-answer);
  const nodes = new Map<number, number>();
  for (let node = 0; node < NODES_MAX; node++) if (counts[node]! > 0) nodes.set(node, counts[node]!);
  return { nodes, absent: absent[0]! };
}

/** Memory as JavaScript sees it. The buffer must not outlive the mapping; at most 4 GiB. */
export function viewMemory(address: number, bytes: number): ArrayBuffer {
  assert(address > 0 && bytes > 0, "a view is of mapped memory");
  assert(bytes <= 4 * 1024 ** 3, "one view spans at most 4 GiB");
  return toArrayBuffer(address as ReturnType<typeof ptr>, 0, bytes);
}

function refused(wish: PagesWish, errno: string): OperatorError {
  const mib = (wish.bytes / 1024 ** 2).toFixed(1);
  const required = wish.hugePages === "require";
  return new OperatorError({
    code: "memory-refused",
    message: `Cannot map ${mib} MiB${required ? " on reserved huge pages" : ""}: ${errno}`,
    remedy: required
      ? 'Reserve more (sysctl vm.nr_hugepages, or per node in /sys/devices/system/node), or set memory.huge_pages = "try"'
      : "Free memory, raise the limit (MemoryMax=, ulimit -v, vm.max_map_count), or keep fewer memories",
  });
}
