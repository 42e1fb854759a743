/**
 * Memories that have faded below a floor: candidates for forgetting, which stay until somebody forgets them.
 *
 * Retention is computed for a block of slots at once. A page goes over SCAN_MAX slots at most, some 20 ms, so one with
 * few or no memories may still have a next one. Concepts do not fade: what they were made of does.
 */
import { ageAtRetention, HOUR_MS } from "../../cognition/forgetting.ts";
import { NODE_KIND } from "../../layout/node-header.ts";
import type { FadingMemory, FadingPage, FadingQuery } from "../mind-engine.ts";
import { cursorOf, slotOfCursor } from "../slot-cursor.ts";
import type { Forgetting } from "../space-forgetting.ts";
import type { SpaceReader } from "../space-reader.ts";
import { RetentionReader } from "./retention.ts";

const BLOCK = 1024;
const SCAN_MAX = 256 * BLOCK;

/** @param at the moment, and how the space forgets */
export function fadingMemories(
  reader: SpaceReader,
  query: FadingQuery & { readonly floor: number },
  at: { readonly atMs: number; readonly forgetting: Forgetting },
): FadingPage {
  const { floor, limit } = query;
  const { atMs, forgetting } = at;
  const nodeCount = reader.root.load("nodeCount");
  const retention = new RetentionReader();
  const slots = new Uint32Array(BLOCK);
  const memories: FadingMemory[] = [];
  const agedOut = ageAtRetention(forgetting.curve, floor);
  let slot = query.cursor === undefined ? 0 : slotOfCursor(query.cursor, reader.generation);
  const end = Math.min(nodeCount, slot + SCAN_MAX);
  while (slot < end) {
    const begin = slot;
    const count = Math.min(BLOCK, end - begin);
    for (let i = 0; i < count; i++) slots[i] = begin + i;
    retention.read(reader.headers, slots, count, { atMs, forgetting });
    for (let i = 0; i < count; i++) {
      slot = begin + i;
      if (retention.left[i]! >= floor || !fades(reader, slot)) continue;
      if (memories.length === limit) {
        return { memories, floor, nextCursor: cursorOf(slot, reader.generation) };
      }
      const sinceMs = atMs - retention.ages[i]! * HOUR_MS;
      memories.push({
        ...reader.memory(slot),
        retention: retention.left[i]!,
        stabilityHours: retention.stabilities[i]!,
        useCount: retention.useCounts[i]!,
        lastUsedMs: retention.lastUsedMs[i] || undefined,
        fadedAtMs: sinceMs + agedOut * retention.stabilities[i]! * HOUR_MS,
      });
    }
    slot = begin + count;
  }
  return { memories, floor, nextCursor: end < nodeCount ? cursorOf(end, reader.generation) : undefined };
}

function fades(reader: SpaceReader, slot: number): boolean {
  return reader.isLive(slot) && reader.kind(slot) !== NODE_KIND.concept;
}
