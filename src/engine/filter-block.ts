/** Builds the filter block of a recall (`layout/filter.ts`) that the C predicate reads. */
import { RequestError } from "../base/errors.ts";
import type { Hash64 } from "../base/hash64.ts";
import { FILTER, FILTER_HEAD_BYTES, FILTER_TAGS_MAX } from "../layout/filter.ts";
import { NODE_KIND } from "../layout/node-header.ts";
import type { RecallQuery } from "./engine.ts";
import { hashText } from "./write-codec.ts";

/** Concepts are found as memories only where they are asked for. */
const MEMORY_KINDS = ["memory", "episode"] as const;

/** The query's filter, or undefined where it filters nothing. */
export function filterBlock(query: RecallQuery, nodeCount: number): Uint8Array | undefined {
  const tags = query.tags ?? [];
  const { fromMs, toMs, minConfidence, asOfMs, kinds } = query;
  const bounds = [fromMs, toMs, minConfidence, asOfMs, kinds];
  if (tags.length === 0 && bounds.every((bound) => bound === undefined)) return undefined;
  if (tags.length > FILTER_TAGS_MAX) {
    throw new RequestError({
      code: "request-invalid",
      message: `A recall filters by ${FILTER_TAGS_MAX} tags at most`,
      expected: `at most ${FILTER_TAGS_MAX} tags`,
      received: `${tags.length} tags`,
      at: "tags",
    });
  }
  const block = new Uint8Array(FILTER_HEAD_BYTES + tags.length * 8);
  const view = new DataView(block.buffer);
  view.setFloat64(FILTER.fromMs, fromMs ?? Number.NEGATIVE_INFINITY, true);
  view.setFloat64(FILTER.toMs, toMs ?? Number.POSITIVE_INFINITY, true);
  // Confidences are stored as f32, so the bound is rounded the same way: 0.7 lets 0.7 pass.
  view.setFloat32(FILTER.minConfidence, minConfidence ?? 0, true);
  view.setFloat64(FILTER.storedToMs, asOfMs ?? 0, true);
  view.setUint32(FILTER.tagCount, tags.length, true);
  view.setUint32(FILTER.nodeCount, nodeCount, true);
  for (const kind of kinds ?? MEMORY_KINDS) {
    view.setUint32(FILTER.kinds, view.getUint32(FILTER.kinds, true) | (1 << NODE_KIND[kind]), true);
  }
  const hash: Hash64 = { low: 0, high: 0 };
  let bloomLow = 0;
  let bloomHigh = 0;
  tags.forEach((tag, i) => {
    hashText(tag, hash);
    view.setUint32(FILTER_HEAD_BYTES + i * 8, hash.low, true);
    view.setUint32(FILTER_HEAD_BYTES + i * 8 + 4, hash.high, true);
    const bit = hash.low & 63;
    if (bit < 32) bloomLow |= 1 << bit;
    else bloomHigh |= 1 << (bit - 32);
  });
  view.setUint32(FILTER.tagBloom, bloomLow >>> 0, true);
  view.setUint32(FILTER.tagBloom + 4, bloomHigh >>> 0, true);
  return block;
}
