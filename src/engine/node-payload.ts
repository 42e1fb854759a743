/** A node of a space as the log would say it: what compaction copies from image to image. */
import {
  REMEMBER,
  REMEMBER_HEAD_BYTES,
  REMEMBER_KIND_SHIFT,
  REMEMBER_TAIL_BYTES,
} from "../layout/log-payload.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_KIND } from "../layout/node-header.ts";
import type { SpaceArenas } from "./space-writer.ts";

const WORDS = NODE_HEADER_BYTES / 4;
const NUMBERS = NODE_HEADER_BYTES / 8;

/** The remember payload of the node in a slot. */
export function nodePayload(arenas: SpaceArenas, slot: number, dimensions: number): Uint8Array {
  const { headers, content, vectors } = arenas;
  const chunk = headers.chunkOfSlot(slot);
  const index = headers.indexInChunk(slot);
  const words = headers.u32(chunk);
  const numbers = headers.f64(chunk);
  const floats = headers.f32(chunk);
  const base = index * WORDS;
  const recordBytes = words[base + NODE_HEADER.contentBytes / 4]!;
  const norm = floats[base + NODE_HEADER.vectorNorm / 4]!;
  const kind = headers.u8(chunk)[index * NODE_HEADER_BYTES + NODE_HEADER.kind]!;
  const tailAt = REMEMBER_HEAD_BYTES + recordBytes + (norm > 0 ? dimensions * 4 : 0);
  const bytes = new Uint8Array(tailAt + (kind === NODE_KIND.memory ? 0 : REMEMBER_TAIL_BYTES));
  const view = new DataView(bytes.buffer);
  view.setFloat64(REMEMBER.timestampMs, numbers[index * NUMBERS + NODE_HEADER.timestampMs / 8]!, true);
  view.setFloat64(REMEMBER.storedAtMs, numbers[index * NUMBERS + NODE_HEADER.storedAtMs / 8]!, true);
  view.setUint32(REMEMBER.idHash, words[base + NODE_HEADER.idHash / 4]!, true);
  view.setUint32(REMEMBER.idHash + 4, words[base + NODE_HEADER.idHash / 4 + 1]!, true);
  view.setFloat32(REMEMBER.confidence, floats[base + NODE_HEADER.confidence / 4]!, true);
  view.setFloat32(REMEMBER.norm, norm, true);
  view.setUint32(REMEMBER.recordBytes, recordBytes, true);
  view.setUint32(REMEMBER.dimensions, norm > 0 ? dimensions : 0, true);
  view.setUint32(REMEMBER.flags, kind << REMEMBER_KIND_SHIFT, true);
  content.readInto(
    numbers[index * NUMBERS + NODE_HEADER.contentAt / 8]!,
    bytes.subarray(REMEMBER_HEAD_BYTES),
    recordBytes,
  );
  if (norm > 0) vectors.readInto(slot, bytes.subarray(REMEMBER_HEAD_BYTES + recordBytes), dimensions * 4);
  if (kind !== NODE_KIND.memory) {
    view.setFloat32(tailAt, floats[base + NODE_HEADER.importance / 4]!, true);
    view.setFloat32(tailAt + 4, floats[base + NODE_HEADER.valence / 4]!, true);
  }
  return bytes;
}
