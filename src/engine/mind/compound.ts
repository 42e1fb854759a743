/**
 * Compounds (`layout/mind-record.ts`): parts that become true together, or not at all. Whoever changes the mind
 * builds one, hands it to the home writer as a `mind` request, and finds it applied as a whole or not at all.
 */
import { assert } from "../../base/assert.ts";
import type { Hash64 } from "../../base/hash64.ts";
import {
  FORGET,
  FORGET_HEAD_BYTES,
  LOG_KIND,
  REMEMBER,
  REMEMBER_HEAD_BYTES,
} from "../../layout/log-payload.ts";
import {
  BIND_BYTES,
  COMPOUND_PART,
  COMPOUND_PART_HEAD_BYTES,
  MIND_PAYLOAD_BYTES_MAX,
  PROGRESS,
  PROGRESS_BYTES,
  TRAITS_BYTES,
  WALK,
  type Walk,
} from "../../layout/mind-record.ts";
import { type BindRecord, bindFault, writeBind } from "./bind-record.ts";
import { type NodeTraits, traitsFault, writeTraits } from "./traits-record.ts";

/**
 * Builds one compound. Traits and bindings may be added one by one: neighbours of one kind share a part.
 * The parts are applied in the order they were added in.
 */
export class CompoundBuilder {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  /** start of the part that more records of its kind may join; -1 where there is none */
  #open = -1;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Bytes so far; at most MIND_PAYLOAD_BYTES_MAX can be sent. */
  get byteLength(): number {
    return this.#length;
  }

  /** A remember payload, as `PayloadEncoder.remember` makes it; copied. A memory of the same id is replaced. The writer analyses words. */
  remember(payload: Uint8Array): this {
    return this.part(LOG_KIND.remember, payload);
  }

  /** A forget payload, as `PayloadEncoder.forget` makes it; copied. */
  forget(payload: Uint8Array): this {
    return this.part(LOG_KIND.forget, payload);
  }

  traits(node: Hash64, traits: Partial<NodeTraits>): this {
    const at = this.#record(LOG_KIND.traits, TRAITS_BYTES);
    writeTraits(this.#view, at, node, traits);
    return this;
  }

  bind(binding: BindRecord): this {
    const at = this.#record(LOG_KIND.bind, BIND_BYTES);
    writeBind(this.#view, at, binding);
    return this;
  }

  /** The walk has done every node up to the one with this sequence number. */
  progress(walk: Walk, sequence: number): this {
    const at = this.#record(LOG_KIND.progress, PROGRESS_BYTES);
    this.#view.setUint32(at + PROGRESS.walk, WALK[walk], true);
    this.#view.setUint32(at + PROGRESS.walk + 4, 0, true);
    this.#view.setFloat64(at + PROGRESS.sequence, sequence, true);
    this.#open = -1;
    return this;
  }

  /** A part as it is in another compound. */
  part(kind: number, payload: Uint8Array): this {
    const at = this.#record(kind, payload.byteLength);
    this.#bytes.set(payload, at);
    this.#bytes.fill(0, at + payload.byteLength, this.#length);
    this.#open = -1;
    return this;
  }

  /** The compound; valid until the builder is used again. */
  get payload(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): this {
    this.#length = 0;
    this.#open = -1;
    return this;
  }

  /** Room for one record in a part of its kind. @returns where it goes */
  #record(kind: number, byteLength: number): number {
    const continues = this.#open >= 0 && this.#view.getUint32(this.#open + COMPOUND_PART.kind, true) === kind;
    const padded = (byteLength + 7) & ~7;
    this.#reserve(this.#length + COMPOUND_PART_HEAD_BYTES + padded);
    if (!continues) {
      this.#open = this.#length;
      this.#view.setUint32(this.#open + COMPOUND_PART.kind, kind, true);
      this.#view.setUint32(this.#open + COMPOUND_PART.bytes, 0, true);
      this.#length += COMPOUND_PART_HEAD_BYTES;
    }
    const bytesAt = this.#open + COMPOUND_PART.bytes;
    this.#view.setUint32(bytesAt, this.#view.getUint32(bytesAt, true) + byteLength, true);
    const at = this.#length;
    this.#length += padded;
    return at;
  }

  #reserve(byteLength: number): void {
    if (this.#bytes.byteLength >= byteLength) return;
    const grown = new Uint8Array(2 ** Math.ceil(Math.log2(byteLength)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

export type CompoundPart = { readonly kind: number; readonly payload: Uint8Array };

/** The parts of a compound that has no fault, in order; views of it. */
export function* compoundParts(compound: Uint8Array): Generator<CompoundPart> {
  const view = viewOf(compound);
  for (let at = 0; at < compound.byteLength; ) {
    const kind = view.getUint32(at + COMPOUND_PART.kind, true);
    const bytes = view.getUint32(at + COMPOUND_PART.bytes, true);
    const from = at + COMPOUND_PART_HEAD_BYTES;
    assert(from + bytes <= compound.byteLength, "a part lies in its compound");
    yield { kind, payload: compound.subarray(from, from + bytes) };
    at = from + ((bytes + 7) & ~7);
  }
}

/** Why the bytes are no compound, or undefined. Requests are checked before anything of them is done or logged. */
export function compoundFault(compound: Uint8Array): string | undefined {
  if (compound.byteLength > MIND_PAYLOAD_BYTES_MAX) return `it has ${compound.byteLength} bytes`;
  const view = viewOf(compound);
  for (let at = 0; at < compound.byteLength; ) {
    if (at + COMPOUND_PART_HEAD_BYTES > compound.byteLength) return "it ends in the head of a part";
    const kind = view.getUint32(at + COMPOUND_PART.kind, true);
    const bytes = view.getUint32(at + COMPOUND_PART.bytes, true);
    const from = at + COMPOUND_PART_HEAD_BYTES;
    // Not by bits: whoever sends nonsense may send 32 of them.
    const end = from + Math.ceil(bytes / 8) * 8;
    if (end > compound.byteLength) return "it ends in a part";
    const fault = partFault(kind, compound.subarray(from, from + bytes));
    if (fault !== undefined) return fault;
    at = end;
  }
  return undefined;
}

function partFault(kind: number, payload: Uint8Array): string | undefined {
  const view = viewOf(payload);
  switch (kind) {
    case LOG_KIND.remember: {
      const isWhole =
        payload.byteLength >= REMEMBER_HEAD_BYTES &&
        REMEMBER_HEAD_BYTES + view.getUint32(REMEMBER.recordBytes, true) <= payload.byteLength;
      return isWhole ? undefined : "a memory in it is cut off";
    }
    case LOG_KIND.forget: {
      const isWhole =
        payload.byteLength >= FORGET_HEAD_BYTES &&
        FORGET_HEAD_BYTES + view.getUint32(FORGET.idBytes, true) <= payload.byteLength;
      return isWhole ? undefined : "an id in it is cut off";
    }
    case LOG_KIND.traits:
      return traitsFault(view);
    case LOG_KIND.bind:
      return bindFault(view);
    case LOG_KIND.progress:
      if (payload.byteLength !== PROGRESS_BYTES) return "its progress is cut off";
      return view.getUint32(PROGRESS.walk, true) <= WALK.consolidation
        ? undefined
        : "nobody walks by that name";
    default:
      return `a compound has no parts of kind ${kind}`;
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
