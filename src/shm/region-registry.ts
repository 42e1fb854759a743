/**
 * All regions of the process: their purpose, what was asked for and what was granted.
 *
 * The table lies in the native library, so any thread may list what any other thread mapped. Where the pages
 * really are is asked of the kernel when somebody wants to know (`pagePlacement`, `regionPages`), because
 * it changes: pages come on touch, and the kernel may move them.
 */
import { FFIType, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";
import { assert } from "../base/assert.ts";
import { errnoName, openShim } from "../ffi/library.ts";
import { type HugePages, type PageKind, type PagesGrant, type PagesWish, refusalsOf } from "../ffi/pages.ts";
import { threadId } from "../ffi/threads.ts";

export type RegisteredRegion = {
  readonly address: number;
  readonly bytes: number;
  readonly purpose: string;
  readonly asked: {
    readonly hugePages: HugePages;
    readonly node: number | undefined;
    readonly interleaveNodes: readonly number[];
    readonly lock: boolean;
  };
  readonly kind: PageKind;
  /** what was asked for and not given, with the errno's name */
  readonly refusals: ReturnType<typeof refusalsOf>;
  /** of the thread that mapped it */
  readonly threadId: number;
};

const shim = openShim({
  shim_registry_add: { args: ["ptr"], returns: "i32" },
  shim_registry_remove: { args: ["u64"], returns: "i32" },
  shim_registry_list: { args: ["ptr", "u64"], returns: FFIType.i64_fast },
});

/** struct registry_entry of `native/registry.c` */
const ENTRY_BYTES = 256;
const ENTRY = {
  address: 0,
  bytes: 8,
  interleaveMask: 16,
  node: 24,
  huge: 28,
  kind: 32,
  reservedErrno: 36,
  bindErrno: 40,
  transparentErrno: 44,
  lock: 48,
  lockErrno: 52,
  threadId: 56,
  purpose: 64,
} as const;
const PURPOSE_BYTES_MAX = ENTRY_BYTES - ENTRY.purpose - 1;
const HUGE: readonly HugePages[] = ["off", "try", "require"];
const KINDS: readonly PageKind[] = ["base", "transparent", "reserved"];

/** Enters a region; `mapRegion` does it. */
export function registerRegion(region: { purpose: string; wish: PagesWish; grant: PagesGrant }): void {
  const { purpose, wish, grant } = region;
  const bytes = new Uint8Array(ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  let mask = 0n;
  for (const node of wish.interleaveNodes ?? []) mask |= 1n << BigInt(node);
  view.setBigUint64(ENTRY.address, BigInt(grant.address), true);
  view.setBigUint64(ENTRY.bytes, BigInt(grant.bytes), true);
  view.setBigUint64(ENTRY.interleaveMask, mask, true);
  view.setInt32(ENTRY.node, wish.node ?? -1, true);
  view.setInt32(ENTRY.huge, HUGE.indexOf(wish.hugePages), true);
  view.setInt32(ENTRY.kind, KINDS.indexOf(grant.kind), true);
  view.setInt32(ENTRY.reservedErrno, grant.errnos.reservedPages, true);
  view.setInt32(ENTRY.bindErrno, grant.errnos.binding, true);
  view.setInt32(ENTRY.transparentErrno, grant.errnos.transparentPages, true);
  view.setInt32(ENTRY.lock, wish.lock === true ? 1 : 0, true);
  view.setInt32(ENTRY.lockErrno, grant.errnos.locking, true);
  view.setInt32(ENTRY.threadId, threadId(), true);
  new TextEncoder().encodeInto(purpose, bytes.subarray(ENTRY.purpose, ENTRY.purpose + PURPOSE_BYTES_MAX));
  const answer = shim.shim_registry_add(ptr(bytes));
  assert(answer === 0, `a region can be registered (${errnoName(-answer)})`);
}

/** Takes a region out; `Region.unmap` does it. */
export function forgetRegion(address: number): void {
  assert(shim.shim_registry_remove(address) === 0, "a region that is given back was registered");
}

/** What is mapped now, by any thread, largest first. */
export function listRegions(): RegisteredRegion[] {
  let capacity = Number(shim.shim_registry_list(null, 0)) + 16;
  for (;;) {
    const bytes = new Uint8Array(capacity * ENTRY_BYTES);
    const count = Number(shim.shim_registry_list(ptr(bytes), capacity));
    if (count <= capacity) {
      const regions = Array.from({ length: count }, (_, index) => decode(bytes, index * ENTRY_BYTES));
      return regions.sort((a, b) => b.bytes - a.bytes);
    }
    capacity = count + 16;
  }
}

/** Bytes of a region by the kind of page that carries them; `resident` counts all of them. */
export type RegionPages = {
  readonly resident: number;
  readonly transparent: number;
  readonly reserved: number;
  readonly swapped: number;
  readonly locked: number;
};

/**
 * What the kernel says of each region's pages, by address. It walks the page tables of the whole process,
 * some ms for each GiB: for doctor and an occasional look, not for every request.
 */
export function regionPages(regions: readonly RegisteredRegion[]): Map<number, RegionPages> {
  const sorted = [...regions].sort((a, b) => a.address - b.address);
  const found = new Map<number, RegionPages>();
  let region: RegisteredRegion | undefined;
  for (const line of readFileSync("/proc/self/smaps", "utf8").split("\n")) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line);
    if (range !== null) {
      const start = Number.parseInt(range[1]!, 16);
      const end = Number.parseInt(range[2]!, 16);
      region = regionHolding(sorted, start, end);
      continue;
    }
    if (region === undefined) continue;
    const field = /^(\w+): +(\d+) kB/.exec(line);
    if (field === null) continue;
    const bytes = Number(field[2]) * 1024;
    const sum = found.get(region.address) ?? {
      resident: 0,
      transparent: 0,
      reserved: 0,
      swapped: 0,
      locked: 0,
    };
    if (field[1] === "Rss") found.set(region.address, { ...sum, resident: sum.resident + bytes });
    else if (field[1] === "AnonHugePages")
      found.set(region.address, { ...sum, transparent: sum.transparent + bytes });
    else if (field[1] === "Swap") found.set(region.address, { ...sum, swapped: sum.swapped + bytes });
    else if (field[1] === "Locked") found.set(region.address, { ...sum, locked: sum.locked + bytes });
    else if (field[1] === "Private_Hugetlb") {
      /* smaps keeps hugetlb out of Rss. */
      found.set(region.address, { ...sum, reserved: sum.reserved + bytes, resident: sum.resident + bytes });
    }
  }
  return found;
}

function regionHolding(
  sorted: readonly RegisteredRegion[],
  start: number,
  end: number,
): RegisteredRegion | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.address <= start) low = middle + 1;
    else high = middle;
  }
  const region = sorted[low - 1];
  return region !== undefined && end <= region.address + region.bytes ? region : undefined;
}

function decode(bytes: Uint8Array, at: number): RegisteredRegion {
  const view = new DataView(bytes.buffer, at, ENTRY_BYTES);
  const mask = view.getBigUint64(ENTRY.interleaveMask, true);
  const node = view.getInt32(ENTRY.node, true);
  const purpose = bytes.subarray(at + ENTRY.purpose, at + ENTRY_BYTES);
  return {
    address: Number(view.getBigUint64(ENTRY.address, true)),
    bytes: Number(view.getBigUint64(ENTRY.bytes, true)),
    purpose: new TextDecoder().decode(purpose.subarray(0, purpose.indexOf(0))),
    asked: {
      hugePages: HUGE[view.getInt32(ENTRY.huge, true)]!,
      node: node < 0 ? undefined : node,
      interleaveNodes: Array.from({ length: 64 }, (_, each) => each).filter(
        (each) => (mask >> BigInt(each)) & 1n,
      ),
      lock: view.getInt32(ENTRY.lock, true) === 1,
    },
    kind: KINDS[view.getInt32(ENTRY.kind, true)]!,
    refusals: refusalsOf({
      reservedPages: view.getInt32(ENTRY.reservedErrno, true),
      transparentPages: view.getInt32(ENTRY.transparentErrno, true),
      binding: view.getInt32(ENTRY.bindErrno, true),
      locking: view.getInt32(ENTRY.lockErrno, true),
    }),
    threadId: view.getInt32(ENTRY.threadId, true),
  };
}
