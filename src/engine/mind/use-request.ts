/** Use requests (`layout/mind-record.ts`): which nodes were used, how and when, to and from bytes. */
import type { Hash64 } from "../../base/hash64.ts";
import { USE, USE_BYTES, USE_HOWS, USE_REQUEST, type UseHow } from "../../layout/mind-record.ts";

export type NodeUse = {
  readonly node: Hash64;
  readonly how: UseHow;
  /** ms since the epoch */
  readonly atMs: number;
  /** uses next to each other with the same number, not 0, happened together */
  readonly group?: number;
};

/** The payload of a `use` request. */
export function encodeUses(uses: readonly NodeUse[]): Uint8Array {
  const bytes = new Uint8Array(uses.length * USE_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, { node, how, atMs, group }] of uses.entries()) {
    const at = i * USE_BYTES;
    view.setUint32(at + USE_REQUEST.idHash, node.low, true);
    view.setUint32(at + USE_REQUEST.idHash + 4, node.high, true);
    view.setFloat64(at + USE_REQUEST.atMs, atMs, true);
    view.setUint32(at + USE_REQUEST.how, USE[how], true);
    view.setUint32(at + USE_REQUEST.group, group ?? 0, true);
  }
  return bytes;
}

/** The uses of a payload; what is no use is left out. */
export function decodeUses(payload: Uint8Array): Required<NodeUse>[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const uses: Required<NodeUse>[] = [];
  for (let at = 0; at + USE_BYTES <= payload.byteLength; at += USE_BYTES) {
    const how = USE_HOWS[view.getUint32(at + USE_REQUEST.how, true)];
    const atMs = view.getFloat64(at + USE_REQUEST.atMs, true);
    if (how === undefined || !Number.isFinite(atMs)) continue;
    const low = view.getUint32(at + USE_REQUEST.idHash, true);
    const high = view.getUint32(at + USE_REQUEST.idHash + 4, true);
    uses.push({ node: { low, high }, how, atMs, group: view.getUint32(at + USE_REQUEST.group, true) });
  }
  return uses;
}
