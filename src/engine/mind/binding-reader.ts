/**
 * Reads the bindings of nodes from any thread, without a lock, while their home writer changes them; the protocol is
 * in `layout/binding.ts`. Use it inside an epoch: an extent that was left is used again once its readers are past.
 */
import {
  BINDING,
  BINDING_CHUNK_BYTES,
  BINDING_CHUNK_SHIFT,
  BINDING_EXTENT,
  BINDING_EXTENT_HEAD_WORDS,
  BINDING_FLAG,
  BINDING_UNIT_WORDS,
  BINDING_UNITS_PER_CHUNK,
  BINDING_WORDS,
} from "../../layout/binding.ts";
import { NODE_HEADER, NODE_HEADER_BYTES } from "../../layout/node-header.ts";
import { ByteArenaReader, type SlotArenaReader } from "../../shm/arena.ts";
import { fanOutOf } from "./node-traits.ts";

const HEADER_WORDS = NODE_HEADER_BYTES / 4;
const BINDINGS_AT = NODE_HEADER.bindingsAt / 4;
const COUNT = BINDING_EXTENT.count / 4;
const VERSION = BINDING_EXTENT.version / 4;
const STRENGTH = BINDING.strength / 4;
const LAST_USED = BINDING.lastUsedSeconds / 4;
const KIND = BINDING.kind / 4;

/** Bindings of one node, copied out: parallel arrays, of which the first `count` entries count. Reused. */
export class BindingList {
  count = 0;
  targets = new Uint32Array(64);
  strengths = new Float32Array(64);
  lastUsedSeconds = new Uint32Array(64);
  /** BINDING_KIND */
  kinds = new Uint8Array(64);
  /** 1 where the node is the binding's destination */
  reversed = new Uint8Array(64);
  useCounts = new Uint16Array(64);

  reserve(count: number): void {
    if (this.targets.length >= count) return;
    const length = 2 ** Math.ceil(Math.log2(count));
    this.targets = new Uint32Array(length);
    this.strengths = new Float32Array(length);
    this.lastUsedSeconds = new Uint32Array(length);
    this.kinds = new Uint8Array(length);
    this.reversed = new Uint8Array(length);
    this.useCounts = new Uint16Array(length);
  }
}

export class BindingReader {
  readonly #headers: SlotArenaReader;
  readonly #arena: ByteArenaReader;

  /** @param tableAddress of the binding arena: `bindingTable` in the space's root */
  constructor(headers: SlotArenaReader, tableAddress: number) {
    this.#headers = headers;
    this.#arena = new ByteArenaReader({ chunkBytes: BINDING_CHUNK_BYTES, tableAddress });
  }

  /** Live bindings of a node, of both directions; some 3 ns. */
  fanOut(slot: number): number {
    return fanOutOf(this.#headers, slot);
  }

  /**
   * Copies the bindings of a node into `list`.
   * @param nodeCount bindings to slots from here on are left out: the caller has not seen them published
   * @returns how many there are
   */
  read(slot: number, nodeCount: number, list: BindingList): number {
    const headers = this.#headers.u32(this.#headers.chunkOfSlot(slot));
    const at = this.#headers.indexInChunk(slot) * HEADER_WORDS + BINDINGS_AT;
    for (;;) {
      const unit = Atomics.load(headers, at);
      if (unit === 0) {
        list.count = 0;
        return 0;
      }
      const chunk = unit >>> BINDING_CHUNK_SHIFT;
      const words = this.#arena.u32(chunk);
      const base = (unit & (BINDING_UNITS_PER_CHUNK - 1)) * BINDING_UNIT_WORDS;
      const version = Atomics.load(words, base + VERSION);
      if ((version & 1) === 1) continue;
      const count = Atomics.load(words, base + COUNT);
      list.reserve(count);
      copyEntries(words, this.#arena.f32(chunk), base + BINDING_EXTENT_HEAD_WORDS, count, nodeCount, list);
      if (Atomics.load(words, base + VERSION) === version) return list.count;
    }
  }
}

function copyEntries(
  words: Uint32Array,
  floats: Float32Array,
  from: number,
  count: number,
  nodeCount: number,
  list: BindingList,
): void {
  const { targets, strengths, lastUsedSeconds, kinds, reversed, useCounts } = list;
  let kept = 0;
  for (let i = 0, at = from; i < count; i++, at += BINDING_WORDS) {
    const target = words[at]!;
    if (target >= nodeCount) continue;
    const rest = words[at + KIND]!;
    targets[kept] = target;
    strengths[kept] = floats[at + STRENGTH]!;
    lastUsedSeconds[kept] = words[at + LAST_USED]!;
    kinds[kept] = rest & 0xff;
    reversed[kept] = (rest >>> 8) & BINDING_FLAG.reverse;
    useCounts[kept] = rest >>> 16;
    kept += 1;
  }
  list.count = kept;
}
