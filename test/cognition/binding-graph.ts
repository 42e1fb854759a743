/** Headers and bindings in arenas, written as the protocol of `layout/binding.ts` says, and lists of the same. */
import type { Random } from "../../src/base/random.ts";
import { bindingDecayTable, strengthNow } from "../../src/cognition/binding-decay.ts";
import type { BindingView } from "../../src/cognition/spreading.ts";
import {
  BINDING_BYTES,
  BINDING_CHUNK_BYTES,
  BINDING_EXTENT,
  BINDING_EXTENT_HEAD_BYTES,
  BINDING_KIND_DELIBERATE,
  BINDING_UNIT_BYTES,
  bindingCapacity,
  bindingClassFor,
  bindingExtentBytes,
} from "../../src/layout/binding.ts";
import { NODE_HEADER, NODE_HEADER_BYTES } from "../../src/layout/node-header.ts";
import { ByteArena, SlotArena } from "../../src/shm/arena.ts";

export type Edge = { target: number; strength: number; kind: number; lastUsedSeconds?: number };

export const NOW_SECONDS = 1_800_000_000;
const FADING = bindingDecayTable(30 * 86_400);

const policy = { hugePages: "off" } as const;
const HEADER_WORDS = NODE_HEADER_BYTES / 4;

/** Random bindings in both directions; a few nodes are hubs. */
export function randomEdges(random: Random, nodeCount: number, bindingCount: number): Edge[][] {
  const edges: Edge[][] = Array.from({ length: nodeCount }, () => []);
  for (let i = 0; i < bindingCount; i++) {
    const from = random.below(8) === 0 ? random.below(Math.min(8, nodeCount)) : random.below(nodeCount);
    const to = random.below(nodeCount);
    if (from === to) continue;
    const strength = Math.fround(0.05 + 0.95 * random.float());
    const kind = random.below(8);
    const lastUsedSeconds = random.below(3) === 0 ? 0 : NOW_SECONDS - random.below(2 ** random.below(28));
    edges[from]!.push({ target: to, strength, kind, lastUsedSeconds });
    edges[to]!.push({ target: from, strength, kind, lastUsedSeconds });
  }
  return edges;
}

export function viewOf(edges: readonly (readonly Edge[])[]): BindingView {
  return {
    read(slot, columns) {
      const list = edges[slot]!;
      columns.count = Math.min(list.length, columns.targets.length);
      for (let i = 0; i < columns.count; i++) {
        columns.targets[i] = list[i]!.target;
        const { strength, lastUsedSeconds = 0, kind } = list[i]!;
        columns.strengths[i] =
          kind < BINDING_KIND_DELIBERATE
            ? strengthNow(strength, lastUsedSeconds, NOW_SECONDS, FADING)
            : strength;
        columns.kinds[i] = kind;
      }
      return list.length;
    },
  };
}

/** The arenas of a space, as far as spreading reads them, with one writer. */
export class BindingGraph {
  readonly nodeCount: number;
  readonly headers: SlotArena;
  readonly bindings: ByteArena;

  constructor(nodeCount: number, edges: readonly (readonly Edge[])[] = []) {
    this.nodeCount = nodeCount;
    this.headers = new SlotArena({
      slotsPerChunk: 4096,
      strideBytes: NODE_HEADER_BYTES,
      purpose: "spreading, headers",
      policy,
    });
    this.headers.ensure(nodeCount - 1);
    this.bindings = new ByteArena({
      chunkBytes: BINDING_CHUNK_BYTES,
      alignBytes: BINDING_UNIT_BYTES,
      purpose: "spreading, bindings",
      policy,
    });
    // Unit 0 stands for none.
    this.bindings.allocate(BINDING_UNIT_BYTES);
    for (const [slot, list] of edges.entries()) if (list.length > 0) this.place(slot, list);
  }

  get graph() {
    return {
      headers: this.headers.ref,
      bindingTable: this.bindings.ref.tableAddress,
      nodeCount: this.nodeCount,
      fading: FADING,
      nowSeconds: NOW_SECONDS,
    };
  }

  /** Gives a node a new extent with these bindings, and publishes it. */
  place(slot: number, list: readonly Edge[]): void {
    const sizeClass = bindingClassFor(list.length);
    const at = this.bindings.allocate(bindingExtentBytes(sizeClass));
    const { words, floats, base } = this.extent(at / BINDING_UNIT_BYTES);
    words[base + BINDING_EXTENT.owner / 4] = slot;
    words[base + BINDING_EXTENT.capacity / 4] = bindingCapacity(sizeClass);
    for (const [i, { target, strength, kind, lastUsedSeconds = 0 }] of list.entries()) {
      const entry = base + (BINDING_EXTENT_HEAD_BYTES + i * BINDING_BYTES) / 4;
      words[entry] = target;
      floats[entry + 1] = strength;
      words[entry + 2] = lastUsedSeconds;
      words[entry + 3] = kind;
    }
    Atomics.store(words, base + BINDING_EXTENT.count / 4, list.length);
    const header = this.headers.u32(this.headers.chunkOfSlot(slot));
    const headerAt = this.headers.indexInChunk(slot) * HEADER_WORDS;
    header[headerAt + NODE_HEADER.fanOut / 4] = list.length;
    Atomics.store(header, headerAt + NODE_HEADER.bindingsAt / 4, at / BINDING_UNIT_BYTES);
  }

  extentOf(slot: number) {
    const header = this.headers.u32(this.headers.chunkOfSlot(slot));
    return this.extent(header[this.headers.indexInChunk(slot) * HEADER_WORDS + NODE_HEADER.bindingsAt / 4]!);
  }

  extent(unit: number) {
    const at = unit * BINDING_UNIT_BYTES;
    const chunk = this.bindings.chunkOf(at);
    return {
      words: this.bindings.u32(chunk),
      floats: this.bindings.f32(chunk),
      base: this.bindings.offsetIn(at) / 4,
    };
  }

  free(): void {
    this.headers.free();
    this.bindings.free();
  }
}
