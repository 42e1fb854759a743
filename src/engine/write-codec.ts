/**
 * Encodes a memory as the log says it (`layout/log-payload.ts`), once, in the thread that took the request;
 * and reads such payloads back, in the writer and in recovery.
 */
import { assert } from "../base/assert.ts";
import { type Hash64, hashBytes } from "../base/hash64.ts";
import { CONTENT_RECORD, CONTENT_RECORD_HEAD_BYTES, DETAILS_END } from "../layout/content-record.ts";
import {
  FORGET,
  FORGET_HEAD_BYTES,
  REMEMBER,
  REMEMBER_FLAG,
  REMEMBER_HEAD_BYTES,
  REMEMBER_KIND_SHIFT,
  REMEMBER_TAIL_BYTES,
} from "../layout/log-payload.ts";
import { IMPORTANCE_DEFAULT, NODE_KIND, type NodeKind } from "../layout/node-header.ts";

const encoder = new TextEncoder();

export type MemoryFields = {
  readonly id: string;
  readonly content: string;
  readonly metadataJson: string | undefined;
  readonly tags: readonly string[];
  readonly timestampMs: number;
  readonly storedAtMs: number;
  readonly confidence: number;
  /** unit vector, or undefined for a memory that is stored without one */
  readonly vector: Float32Array | undefined;
  /** length of the vector before it was normalised */
  readonly norm: number;
  readonly replaces: boolean;
  /** slot of the vectorless memory that this one completes */
  readonly completesSlot?: number;
  /** a plain memory where absent */
  readonly kind?: NodeKind | undefined;
  /** of what is no plain memory: 0 to 1 */
  readonly importance?: number | undefined;
  /** of what is no plain memory: -1 to 1 */
  readonly valence?: number | undefined;
  /** of what is no plain memory: a JSON object, serialised */
  readonly detailsJson?: string | undefined;
};

/** A growing scratch buffer that holds one encoded payload until it is copied into a ring. */
export class PayloadEncoder {
  #bytes = new Uint8Array(16 * 1024);
  #view = new DataView(this.#bytes.buffer);
  readonly #hash: Hash64 = { low: 0, high: 0 };

  /** The encoded payload; valid until the next call. */
  remember(fields: MemoryFields): Uint8Array {
    const dimensions = fields.vector?.length ?? 0;
    const tagsText = fields.tags.join("\0");
    const kind = NODE_KIND[fields.kind ?? "memory"];
    const details = kind === NODE_KIND.memory ? "" : `${fields.detailsJson ?? ""}${DETAILS_END}`;
    const metadata = details + (fields.metadataJson ?? "");
    // UTF-8 takes at most 3 bytes for a UTF-16 unit.
    const texts = (fields.id.length + fields.content.length + tagsText.length + metadata.length) * 3;
    this.#reserve(
      REMEMBER_HEAD_BYTES +
        CONTENT_RECORD_HEAD_BYTES +
        fields.tags.length * 8 +
        texts +
        16 +
        dimensions * 4 +
        REMEMBER_TAIL_BYTES,
    );
    const bytes = this.#bytes;
    const view = this.#view;
    const record = REMEMBER_HEAD_BYTES;
    let at = record + CONTENT_RECORD_HEAD_BYTES + fields.tags.length * 8;
    const idAt = at;
    at += encoder.encodeInto(fields.id, bytes.subarray(at)).written;
    const idBytes = at - idAt;
    const contentAt = at;
    at += encoder.encodeInto(fields.content, bytes.subarray(at)).written;
    const contentBytes = at - contentAt;
    const tagsAt = at;
    if (tagsText !== "") at += encoder.encodeInto(tagsText, bytes.subarray(at)).written;
    const tagsBytes = at - tagsAt;
    const metadataAt = at;
    if (metadata !== "") at += encoder.encodeInto(metadata, bytes.subarray(at)).written;
    const metadataBytes = at - metadataAt;
    while (at % 8 !== 0) bytes[at++] = 0;
    const recordBytes = at - record;

    view.setUint16(record + CONTENT_RECORD.idBytes, idBytes, true);
    view.setUint16(record + CONTENT_RECORD.tagCount, fields.tags.length, true);
    view.setUint32(record + CONTENT_RECORD.contentBytes, contentBytes, true);
    view.setUint32(record + CONTENT_RECORD.metadataBytes, metadataBytes, true);
    view.setUint32(record + CONTENT_RECORD.tagsBytes, tagsBytes, true);
    const hash = this.#hash;
    for (let i = 0; i < fields.tags.length; i++) {
      hashText(fields.tags[i]!, hash);
      view.setUint32(record + CONTENT_RECORD_HEAD_BYTES + i * 8, hash.low, true);
      view.setUint32(record + CONTENT_RECORD_HEAD_BYTES + i * 8 + 4, hash.high, true);
    }

    hashBytes(bytes, idAt, idBytes, hash);
    view.setFloat64(REMEMBER.timestampMs, fields.timestampMs, true);
    view.setFloat64(REMEMBER.storedAtMs, fields.storedAtMs, true);
    view.setUint32(REMEMBER.idHash, hash.low, true);
    view.setUint32(REMEMBER.idHash + 4, hash.high, true);
    view.setFloat32(REMEMBER.confidence, fields.confidence, true);
    view.setFloat32(REMEMBER.norm, dimensions === 0 ? 0 : fields.norm, true);
    view.setUint32(REMEMBER.recordBytes, recordBytes, true);
    view.setUint32(REMEMBER.dimensions, dimensions, true);
    view.setUint32(
      REMEMBER.expectedSlot,
      fields.completesSlot === undefined ? 0 : fields.completesSlot + 1,
      true,
    );
    const flags = (fields.replaces ? REMEMBER_FLAG.replaces : 0) | (kind << REMEMBER_KIND_SHIFT);
    view.setUint32(REMEMBER.flags, flags, true);
    if (fields.vector !== undefined) {
      new Float32Array(bytes.buffer, at, dimensions).set(fields.vector);
      at += dimensions * 4;
    }
    if (kind !== NODE_KIND.memory) {
      view.setFloat32(at, fields.importance ?? IMPORTANCE_DEFAULT, true);
      view.setFloat32(at + 4, fields.valence ?? 0, true);
      at += REMEMBER_TAIL_BYTES;
    }
    return bytes.subarray(0, at);
  }

  forget(id: string): Uint8Array {
    this.#reserve(FORGET_HEAD_BYTES + id.length * 3);
    const bytes = this.#bytes;
    const idBytes = encoder.encodeInto(id, bytes.subarray(FORGET_HEAD_BYTES)).written;
    hashBytes(bytes, FORGET_HEAD_BYTES, idBytes, this.#hash);
    this.#view.setUint32(FORGET.idHash, this.#hash.low, true);
    this.#view.setUint32(FORGET.idHash + 4, this.#hash.high, true);
    this.#view.setUint32(FORGET.idBytes, idBytes, true);
    this.#view.setUint32(FORGET.idBytes + 4, 0, true);
    return bytes.subarray(0, FORGET_HEAD_BYTES + idBytes);
  }

  #reserve(bytes: number): void {
    if (this.#bytes.byteLength >= bytes) return;
    this.#bytes = new Uint8Array(Math.ceil(bytes / 4096) * 4096 * 2);
    this.#view = new DataView(this.#bytes.buffer);
  }
}

let hashScratch = new Uint8Array(1024);

/** Hash of a text's UTF-8 bytes: of an id, or of a tag. */
export function hashText(text: string, into: Hash64): void {
  if (hashScratch.byteLength < text.length * 3) hashScratch = new Uint8Array(text.length * 3);
  hashBytes(hashScratch, 0, encoder.encodeInto(text, hashScratch).written, into);
}

/** A remember payload opened for reading: offsets into `bytes`, no copies. Reused from record to record. */
export class RememberView {
  bytes = new Uint8Array(0);
  view = new DataView(this.bytes.buffer);
  timestampMs = 0;
  storedAtMs = 0;
  idHashLow = 0;
  idHashHigh = 0;
  confidence = 0;
  norm = 0;
  recordBytes = 0;
  dimensions = 0;
  /** -1 unless the record completes a vectorless memory */
  completesSlot = -1;
  replaces = false;
  /** a NODE_KIND */
  kind = 0;
  /** undefined for a plain memory */
  importance: number | undefined;
  valence: number | undefined;
  /** offset of the embedding, f32 × dimensions, in `bytes` */
  vectorAt = 0;
  idAt = 0;
  idBytes = 0;
  contentAt = 0;
  contentBytes = 0;
  tagCount = 0;

  /** Byte offset of the content record in `bytes`. */
  readonly recordAt = REMEMBER_HEAD_BYTES;

  open(payload: Uint8Array): this {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.bytes = payload as Uint8Array<ArrayBuffer>;
    this.view = view as DataView<ArrayBuffer>;
    this.timestampMs = view.getFloat64(REMEMBER.timestampMs, true);
    this.storedAtMs = view.getFloat64(REMEMBER.storedAtMs, true);
    this.idHashLow = view.getUint32(REMEMBER.idHash, true);
    this.idHashHigh = view.getUint32(REMEMBER.idHash + 4, true);
    this.confidence = view.getFloat32(REMEMBER.confidence, true);
    this.norm = view.getFloat32(REMEMBER.norm, true);
    this.recordBytes = view.getUint32(REMEMBER.recordBytes, true);
    this.dimensions = view.getUint32(REMEMBER.dimensions, true);
    this.completesSlot = view.getUint32(REMEMBER.expectedSlot, true) - 1;
    const flags = view.getUint32(REMEMBER.flags, true);
    this.replaces = (flags & REMEMBER_FLAG.replaces) !== 0;
    this.kind = (flags >>> REMEMBER_KIND_SHIFT) & 0xff;
    const record = REMEMBER_HEAD_BYTES;
    this.tagCount = view.getUint16(record + CONTENT_RECORD.tagCount, true);
    this.idBytes = view.getUint16(record + CONTENT_RECORD.idBytes, true);
    this.contentBytes = view.getUint32(record + CONTENT_RECORD.contentBytes, true);
    this.idAt = record + CONTENT_RECORD_HEAD_BYTES + this.tagCount * 8;
    this.contentAt = this.idAt + this.idBytes;
    this.vectorAt = record + this.recordBytes;
    const tailAt = this.vectorAt + (this.norm > 0 ? this.dimensions * 4 : 0);
    const isPlain = this.kind === NODE_KIND.memory;
    assert(
      tailAt + (isPlain ? 0 : REMEMBER_TAIL_BYTES) === payload.byteLength,
      "a remember payload is as long as its head says",
    );
    this.importance = isPlain ? undefined : view.getFloat32(tailAt, true);
    this.valence = isPlain ? undefined : view.getFloat32(tailAt + 4, true);
    return this;
  }
}
