/**
 * A region: mapped memory that all threads of the process may share by its address.
 *
 *   mapRegion() ──▶ mapped, registered ──▶ unmap(): the memory is gone, views of it fault
 *
 * A region belongs to who mapped it. Another thread sees it with `viewMemory(address, bytes)`, and must have
 * left it (`epochs.ts`) before the owner unmaps it. Every region is in the registry (`region-registry.ts`).
 */
import { assert } from "../base/assert.ts";
import {
  HUGE_PAGE_BYTES,
  mapPages,
  type PageKind,
  type PagesGrant,
  refusalsOf,
  unmapPages,
  viewMemory,
} from "../ffi/pages.ts";
import type { MemoryPolicy } from "./memory-policy.ts";
import { forgetRegion, registerRegion } from "./region-registry.ts";

export { viewMemory } from "../ffi/pages.ts";

const POPULATE = { touch: "reserved", now: "all", small: "none" } as const;
/** A multiple of every base page in use: 4 KiB on x86-64; 4, 16 or 64 KiB on arm64. */
const BASE_PAGE_BYTES = process.arch === "arm64" ? 65_536 : 4096;

export type RegionOptions = {
  /** rounded up to whole pages */
  readonly bytes: number;
  /** shown to operators: "space default: vectors" */
  readonly purpose: string;
  readonly policy: MemoryPolicy;
  /**
   * "touch" (the default): reserved huge pages at once where there are any, else others as they are touched.
   * "now": all pages at once, of whatever kind.
   * "small": base pages as they are touched, for what may stay nearly empty.
   */
  readonly pages?: "touch" | "now" | "small";
};

export class Region {
  readonly address: number;
  readonly bytes: number;
  readonly kind: PageKind;
  /** what was asked for and not given, with the errno's name */
  readonly refusals: ReturnType<typeof refusalsOf>;
  #isMapped = true;
  #buffer: ArrayBuffer | undefined;

  constructor(grant: PagesGrant) {
    this.address = grant.address;
    this.bytes = grant.bytes;
    this.kind = grant.kind;
    this.refusals = refusalsOf(grant.errnos);
  }

  /** The region as a view, at most 4 GiB; made on first use, since a view counts as heap of its thread. */
  get buffer(): ArrayBuffer {
    this.#buffer ??= viewMemory(this.address, this.bytes);
    return this.#buffer;
  }

  /** Gives the memory back. No thread may be inside it, and no view of it may be used again. */
  unmap(): void {
    assert(this.#isMapped, "a region is unmapped once");
    this.#isMapped = false;
    forgetRegion(this.address);
    unmapPages(this.address, this.bytes);
  }
}

/**
 * Maps zeroed memory and registers it.
 *
 * With huge pages "require", what is a whole huge page or more (and not "small") comes on reserved ones.
 *
 * @throws {OperatorError} `memory-refused`
 */
export function mapRegion(options: RegionOptions): Region {
  const { policy, purpose } = options;
  const pages = options.pages ?? "touch";
  const isLarge = options.bytes >= HUGE_PAGE_BYTES && pages !== "small";
  const hugePages = isLarge ? policy.hugePages : "off";
  const pageBytes = hugePages === "off" ? BASE_PAGE_BYTES : HUGE_PAGE_BYTES;
  const wish = {
    bytes: Math.ceil(options.bytes / pageBytes) * pageBytes,
    hugePages,
    node: policy.node,
    interleaveNodes: policy.interleaveNodes,
    lock: policy.lock,
    populate: POPULATE[pages],
  };
  const grant = mapPages(wish);
  registerRegion({ purpose, wish, grant });
  return new Region(grant);
}
