/**
 * The writing end of a space's bindings: extents in the binding arena, kept at both ends (`layout/binding.ts`).
 *
 * Exactly one thread owns it, the space's home writer. It knows nothing of bounds: whoever asks has decided what
 * makes room (`mind-plan.ts`). Extents that a node has outgrown or left wait until no reader can hold them, and are
 * then handed out again, by size.
 */
import { assert } from "../../base/assert.ts";
import {
  BINDING,
  BINDING_CHUNK_SHIFT,
  BINDING_CLASS_COUNT,
  BINDING_EXTENT,
  BINDING_EXTENT_HEAD_WORDS,
  BINDING_FLAG,
  BINDING_UNIT_BYTES,
  BINDING_UNIT_WORDS,
  BINDING_UNITS_PER_CHUNK,
  BINDING_WORDS,
  bindingCapacity,
  bindingExtentBytes,
} from "../../layout/binding.ts";
import { NODE_HEADER, NODE_HEADER_BYTES } from "../../layout/node-header.ts";
import { SPACE_NUMBER } from "../../layout/space-root.ts";
import type { ByteArena, SlotArena } from "../../shm/arena.ts";
import type { Epochs } from "../../shm/epochs.ts";
import type { SpaceRoot } from "../space-table.ts";

const HEADER_WORDS = NODE_HEADER_BYTES / 4;
const BINDINGS_AT = NODE_HEADER.bindingsAt / 4;
const FAN_OUT = NODE_HEADER.fanOut / 4;
const NODE_VERSION = NODE_HEADER.bindingVersion / 4;
const OWNER = BINDING_EXTENT.owner / 4;
const COUNT = BINDING_EXTENT.count / 4;
const CAPACITY = BINDING_EXTENT.capacity / 4;
const VERSION = BINDING_EXTENT.version / 4;
const STRENGTH = BINDING.strength / 4;
const LAST_USED = BINDING.lastUsedSeconds / 4;
/** kind, flags and use count share a word */
const TAG = BINDING.kind / 4;
const TAG_MASK = 0xffff;
const REVERSE = BINDING_FLAG.reverse << 8;

/** What a binding is worth now. */
export type BindingState = {
  readonly strength: number;
  readonly lastUsedSeconds: number;
  readonly useCount: number;
};

export class BindingWriter {
  readonly #headers: SlotArena;
  readonly #arena: ByteArena;
  readonly #root: SpaceRoot;
  /** both views of a chunk, where one is written through both */
  readonly #chunks: { readonly words: Uint32Array; readonly floats: Float32Array }[] = [];
  /** units free to be used, by size class */
  readonly #free: number[][] = Array.from({ length: BINDING_CLASS_COUNT }, () => []);
  /** units that readers may still hold; `epoch` is 0 until one was begun for them */
  #left: { readonly unit: number; readonly sizeClass: number; epoch: number }[] = [];

  constructor(root: SpaceRoot, headers: SlotArena, arena: ByteArena) {
    this.#root = root;
    this.#headers = headers;
    this.#arena = arena;
  }

  /** Live bindings of a node, of both directions. */
  fanOut(slot: number): number {
    return this.#header(slot)[this.#headerAt(slot) + FAN_OUT]!;
  }

  /** Position of the binding among those of its source, or -1. */
  find(source: number, destination: number, kind: number): number {
    return this.#find(source, destination, kind);
  }

  /** Kind of the binding at a position of a node's list. */
  kindAt(slot: number, index: number): number {
    const unit = this.#unitOf(slot);
    return this.#arena.u32(unit >>> BINDING_CHUNK_SHIFT)[entryOf(unit, index) + TAG]! & 0xff;
  }

  /** The binding at a position of a node's list. */
  at(slot: number, index: number): BindingState & { target: number; kind: number; isReverse: boolean } {
    const unit = this.#unitOf(slot);
    const words = this.#arena.u32(unit >>> BINDING_CHUNK_SHIFT);
    const entry = entryOf(unit, index);
    const tag = words[entry + TAG]!;
    return {
      target: words[entry]!,
      strength: this.#arena.f32(unit >>> BINDING_CHUNK_SHIFT)[entry + STRENGTH]!,
      lastUsedSeconds: words[entry + LAST_USED]!,
      useCount: tag >>> 16,
      kind: tag & 0xff,
      isReverse: (tag & REVERSE) !== 0,
    };
  }

  /**
   * Makes a binding what it now is, at both ends; a strength of 0 takes it away. Where the caller knows that there
   * is none yet, `isNew` spares looking for it.
   */
  set(source: number, destination: number, kind: number, state: BindingState, isNew = false): void {
    assert(source !== destination, "a node is not bound to itself");
    const index = isNew ? -1 : this.#find(source, destination, kind);
    if (state.strength <= 0) {
      if (index < 0) return;
      this.#remove(source, index);
      this.#remove(destination, this.#find(destination, source, kind | REVERSE));
      this.#counted(kind, -1);
    } else if (index < 0) {
      this.#add(source, destination, kind, state);
      this.#add(destination, source, kind | REVERSE, state);
      this.#counted(kind, 1);
    } else {
      this.strengthen(source, index, state);
      this.strengthen(destination, this.#find(destination, source, kind | REVERSE), state);
    }
  }

  /** Writes the state of the binding at a position of a node's list, at this end only. */
  strengthen(slot: number, index: number, state: BindingState): void {
    const header = this.#header(slot);
    const at = this.#headerAt(slot);
    const unit = header[at + BINDINGS_AT]!;
    const { words, floats } =
      this.#chunks[unit >>> BINDING_CHUNK_SHIFT] ?? this.#open(unit >>> BINDING_CHUNK_SHIFT);
    const entry = entryOf(unit, index);
    floats[entry + STRENGTH] = state.strength;
    words[entry + LAST_USED] = state.lastUsedSeconds;
    words[entry + TAG] = (words[entry + TAG]! & TAG_MASK) | (state.useCount << 16);
    header[at + NODE_VERSION]! += 1;
  }

  #open(chunk: number): { readonly words: Uint32Array; readonly floats: Float32Array } {
    const views = { words: this.#arena.u32(chunk), floats: this.#arena.f32(chunk) };
    this.#chunks[chunk] = views;
    return views;
  }

  /** Takes all bindings of a node away, at both ends. */
  unbind(slot: number): void {
    const unit = this.#unitOf(slot);
    if (unit === 0) return;
    const words = this.#arena.u32(unit >>> BINDING_CHUNK_SHIFT);
    const count = words[headOf(unit) + COUNT]!;
    for (let index = 0; index < count; index++) {
      const entry = entryOf(unit, index);
      const target = words[entry]!;
      const tag = words[entry + TAG]! & TAG_MASK;
      this.#remove(target, this.#find(target, slot, tag ^ REVERSE));
      this.#counted(tag & 0xff, -1);
    }
    this.#publish(slot, 0, 0);
    this.#leave(unit);
  }

  /** Gives all bindings of a node to another one, which has none. */
  handOn(from: number, to: number): void {
    const unit = this.#unitOf(from);
    if (unit === 0) return;
    assert(this.#unitOf(to) === 0, "bindings are handed on to a node without any");
    const words = this.#arena.u32(unit >>> BINDING_CHUNK_SHIFT);
    const count = words[headOf(unit) + COUNT]!;
    for (let index = 0; index < count; index++) {
      const entry = entryOf(unit, index);
      const target = words[entry]!;
      const targetUnit = this.#unitOf(target);
      const back = this.#find(target, from, (words[entry + TAG]! & TAG_MASK) ^ REVERSE);
      this.#arena.u32(targetUnit >>> BINDING_CHUNK_SHIFT)[entryOf(targetUnit, back)] = to;
    }
    words[headOf(unit) + OWNER] = to;
    this.#publish(to, unit, count);
    this.#publish(from, 0, 0);
  }

  /** Maps what extents of `bytes` in all will need, so that adding to them can not fail. @throws {OperatorError} */
  reserve(bytes: number): void {
    // An extent that does not fit the rest of its chunk leaves at most its own size behind.
    if (bytes > 0) this.#arena.ensure(this.#arena.usedBytes + BINDING_UNIT_BYTES + 2 * bytes);
  }

  /** Takes back the extents that nobody holds any more. */
  collect(epochs: Epochs): void {
    if (this.#left.length === 0) return;
    if (this.#left.at(-1)!.epoch === 0) {
      const epoch = epochs.advance();
      for (const left of this.#left) if (left.epoch === 0) left.epoch = epoch;
    }
    this.#left = this.#left.filter(({ unit, sizeClass, epoch }) => {
      if (!epochs.isPast(epoch)) return true;
      this.#free[sizeClass]!.push(unit);
      return false;
    });
  }

  /** Extents that wait for their readers, and extents that are free. */
  get spare(): { readonly left: number; readonly free: number } {
    return { left: this.#left.length, free: this.#free.reduce((sum, units) => sum + units.length, 0) };
  }

  #find(slot: number, target: number, tag: number): number {
    const unit = this.#unitOf(slot);
    if (unit === 0) return -1;
    const words = this.#arena.u32(unit >>> BINDING_CHUNK_SHIFT);
    const head = headOf(unit);
    const end = head + BINDING_EXTENT_HEAD_WORDS + words[head + COUNT]! * BINDING_WORDS;
    for (let entry = head + BINDING_EXTENT_HEAD_WORDS; entry < end; entry += BINDING_WORDS) {
      if (words[entry] === target && (words[entry + TAG]! & TAG_MASK) === tag) {
        return (entry - head - BINDING_EXTENT_HEAD_WORDS) / BINDING_WORDS;
      }
    }
    return -1;
  }

  #add(slot: number, target: number, tag: number, state: BindingState): void {
    const before = this.#unitOf(slot);
    const count = before === 0 ? 0 : this.#arena.u32(before >>> BINDING_CHUNK_SHIFT)[headOf(before) + COUNT]!;
    const isFull =
      before === 0 || count === this.#arena.u32(before >>> BINDING_CHUNK_SHIFT)[headOf(before) + CAPACITY]!;
    const unit = isFull ? this.#grown(slot, before, count) : before;
    const words = this.#arena.u32(unit >>> BINDING_CHUNK_SHIFT);
    const entry = entryOf(unit, count);
    words[entry] = target;
    this.#arena.f32(unit >>> BINDING_CHUNK_SHIFT)[entry + STRENGTH] = state.strength;
    words[entry + LAST_USED] = state.lastUsedSeconds;
    words[entry + TAG] = tag | (state.useCount << 16);
    Atomics.store(words, headOf(unit) + COUNT, count + 1);
    this.#publish(slot, unit, count + 1);
    if (isFull && before !== 0) this.#leave(before);
  }

  /** An extent with more room than `before`, with its bindings. Not published yet. */
  #grown(slot: number, before: number, count: number): number {
    const sizeClass = before === 0 ? 0 : this.#classOf(before) + 1;
    assert(sizeClass < BINDING_CLASS_COUNT, "a node's bindings fit one extent");
    const unit = this.#free[sizeClass]!.pop() ?? this.#allocate(sizeClass);
    const words = this.#arena.u32(unit >>> BINDING_CHUNK_SHIFT);
    const head = headOf(unit);
    words[head + OWNER] = slot;
    words[head + COUNT] = count;
    words[head + CAPACITY] = bindingCapacity(sizeClass);
    words[head + VERSION] = (words[head + VERSION]! + 2) & ~1;
    if (before !== 0) {
      const from = headOf(before) + BINDING_EXTENT_HEAD_WORDS;
      words.set(
        this.#arena.u32(before >>> BINDING_CHUNK_SHIFT).subarray(from, from + count * BINDING_WORDS),
        head + BINDING_EXTENT_HEAD_WORDS,
      );
    }
    return unit;
  }

  #remove(slot: number, index: number): void {
    assert(index >= 0, "a binding stands at both of its ends");
    const unit = this.#unitOf(slot);
    const words = this.#arena.u32(unit >>> BINDING_CHUNK_SHIFT);
    const head = headOf(unit);
    const last = words[head + COUNT]! - 1;
    if (last === 0) {
      this.#publish(slot, 0, 0);
      this.#leave(unit);
      return;
    }
    const version = words[head + VERSION]!;
    Atomics.store(words, head + VERSION, version + 1);
    if (index < last) words.copyWithin(entryOf(unit, index), entryOf(unit, last), entryOf(unit, last + 1));
    Atomics.store(words, head + COUNT, last);
    Atomics.store(words, head + VERSION, version + 2);
    this.#publish(slot, unit, last);
  }

  #allocate(sizeClass: number): number {
    // Unit 0 says "none".
    if (this.#arena.usedBytes === 0) this.#arena.allocate(BINDING_UNIT_BYTES);
    return this.#arena.allocate(bindingExtentBytes(sizeClass)) / BINDING_UNIT_BYTES;
  }

  #leave(unit: number): void {
    this.#left.push({ unit, sizeClass: this.#classOf(unit), epoch: 0 });
  }

  #classOf(unit: number): number {
    const capacity = this.#arena.u32(unit >>> BINDING_CHUNK_SHIFT)[headOf(unit) + CAPACITY]!;
    return 31 - Math.clz32((capacity + 1) >>> 2);
  }

  #publish(slot: number, unit: number, fanOut: number): void {
    const words = this.#header(slot);
    const at = this.#headerAt(slot);
    words[at + FAN_OUT] = fanOut;
    words[at + NODE_VERSION]! += 1;
    if (words[at + BINDINGS_AT] !== unit) Atomics.store(words, at + BINDINGS_AT, unit);
  }

  #counted(kind: number, change: number): void {
    const { numbers } = this.#root;
    numbers[SPACE_NUMBER.bindingsByKind + kind]! += change;
    this.#root.publish("bindingCount", this.#root.load("bindingCount") + change);
  }

  #unitOf(slot: number): number {
    return this.#header(slot)[this.#headerAt(slot) + BINDINGS_AT]!;
  }

  #header(slot: number): Uint32Array {
    return this.#headers.u32(this.#headers.chunkOfSlot(slot));
  }

  #headerAt(slot: number): number {
    return this.#headers.indexInChunk(slot) * HEADER_WORDS;
  }
}

/** Word of an extent's head in its chunk. */
function headOf(unit: number): number {
  return (unit & (BINDING_UNITS_PER_CHUNK - 1)) * BINDING_UNIT_WORDS;
}

/** Word of a binding in its chunk. */
function entryOf(unit: number, index: number): number {
  return headOf(unit) + BINDING_EXTENT_HEAD_WORDS + index * BINDING_WORDS;
}
