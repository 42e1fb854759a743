/**
 * What do the small operations on the mind cost: updating the strength of a binding, reading a fan-out, checking a kind?
 *
 * Sketch: each is a few additions and one to three loads from typed arrays, 2-10 ns when the lines are in the cache; a
 * line that is not costs a miss of some 80 ns, whatever is done with it. So both are measured: over as many nodes as a
 * recall touches, and at random over 10,000 concepts and 100,000 episodes. The plain version is an array of objects
 * with the same numbers, which one thread alone could read. Setting a binding at both ends, as the log says it, has to
 * find it first: some 5 ns an entry of the longer list, of a concept here.
 *
 *   bun bench/cognition/bindings.bench.ts [--small] [--seed N] [--json FILE]
 */
import { Random } from "../../src/base/random.ts";
import { BindingWriter } from "../../src/engine/mind/binding-writer.ts";
import { fanOutOf, kindOf } from "../../src/engine/mind/node-traits.ts";
import { SpaceTable } from "../../src/engine/space-table.ts";
import { BINDING_CHUNK_BYTES, BINDING_KIND, BINDING_UNIT_BYTES } from "../../src/layout/binding.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_KIND } from "../../src/layout/node-header.ts";
import { ByteArena, SlotArena } from "../../src/shm/arena.ts";
import { type Figure, type FigureBench, type FigureSize, runFigures } from "../support/figure.ts";

/** Concepts each episode belongs to. */
const CONCEPTS_EACH = 3;
/** Operations of one timed call. */
const OPERATIONS = 1000;
/** Nodes that a recall and its activation touch. */
const HOT = 128;

type PlainBinding = { target: number; strength: number; lastUsedSeconds: number; useCount: number };
type PlainNode = { kind: number; bindings: PlainBinding[] };

let opened: Mind | undefined;

export const bench: FigureBench = {
  name: "bindings",
  parameters: (size) => ({ ...countsOf(size), bindings: countsOf(size).episodes * CONCEPTS_EACH }),
  calls: ({ isSmall }) => (isSmall ? 5 : 3000),
  make: (size) => {
    opened = new Mind(size);
    return [
      ...figuresOver(opened, "in the cache", HOT, { update: 10, fanOut: 5, kind: 2 }),
      ...figuresOver(opened, "at random", countsOf(size).episodes, {}),
    ];
  },
  close: () => {
    opened?.close();
    opened = undefined;
  },
};

function figuresOver(
  { writer, headers, plain, firstEpisode, random }: Mind,
  where: string,
  reach: number,
  nsMax: { readonly update?: number; readonly fanOut?: number; readonly kind?: number },
): Figure[] {
  const slots = Uint32Array.from({ length: OPERATIONS }, () => firstEpisode + random.below(reach));
  const state = { strength: 0.5, lastUsedSeconds: 7, useCount: 1 };
  const updatePlain = (): number => {
    for (let i = 0; i < OPERATIONS; i++) {
      const binding = plain[slots[i]!]!.bindings[0]!;
      binding.strength = state.strength;
      binding.lastUsedSeconds = state.lastUsedSeconds;
      binding.useCount = state.useCount;
    }
    return plain[slots[0]!]!.bindings[0]!.strength;
  };
  const figures: (Omit<Figure, "operations" | "medianNsMax"> & { readonly nsMax?: number | undefined })[] = [
    {
      name: `binding strength update, ${where}`,
      run: () => {
        for (let i = 0; i < OPERATIONS; i++) writer.strengthen(slots[i]!, 0, state);
        return writer.at(slots[0]!, 0).strength;
      },
      plain: updatePlain,
      nsMax: nsMax.update,
    },
    {
      name: `fan-out read, ${where}`,
      run: () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) sum += fanOutOf(headers, slots[i]!);
        return sum;
      },
      plain: () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) sum += plain[slots[i]!]!.bindings.length;
        return sum;
      },
      nsMax: nsMax.fanOut,
    },
    {
      name: `kind check, ${where}`,
      run: () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) if (kindOf(headers, slots[i]!) === NODE_KIND.episode) sum += 1;
        return sum;
      },
      plain: () => {
        let sum = 0;
        for (let i = 0; i < OPERATIONS; i++) if (plain[slots[i]!]!.kind === NODE_KIND.episode) sum += 1;
        return sum;
      },
      nsMax: nsMax.kind,
    },
    {
      name: `binding set at both ends, ${where}`,
      run: () => {
        for (let i = 0; i < OPERATIONS; i++) {
          writer.set(writer.at(slots[i]!, 0).target, slots[i]!, BINDING_KIND.member, state);
        }
        return writer.at(slots[0]!, 0).strength;
      },
      plain: updatePlain,
    },
  ];
  return figures.map(({ nsMax: medianNsMax, ...figure }) => ({
    ...figure,
    operations: OPERATIONS,
    ...(medianNsMax === undefined ? {} : { medianNsMax }),
  }));
}

/** Concepts, and episodes that are members of them, as a space holds them and as objects. */
class Mind {
  readonly headers: SlotArena;
  readonly writer: BindingWriter;
  readonly plain: PlainNode[] = [];
  readonly firstEpisode: number;
  readonly random: Random;
  readonly #arena: ByteArena;

  constructor(size: FigureSize) {
    const { concepts, episodes } = countsOf(size);
    const policy = { hugePages: "off" } as const;
    this.random = new Random(size.seed);
    this.firstEpisode = concepts;
    this.headers = new SlotArena({
      slotsPerChunk: 16_384,
      strideBytes: NODE_HEADER_BYTES,
      purpose: "bench: headers",
      policy,
    });
    this.headers.ensure(concepts + episodes - 1);
    this.#arena = new ByteArena({
      chunkBytes: BINDING_CHUNK_BYTES,
      purpose: "bench: bindings",
      policy,
      alignBytes: BINDING_UNIT_BYTES,
    });
    const root = new SpaceTable(SpaceTable.allocate(1)).roots[0]!;
    this.writer = new BindingWriter(root, this.headers, this.#arena);
    for (let slot = 0; slot < concepts + episodes; slot++) this.#addNode(slot, slot < concepts);
    for (let slot = concepts; slot < concepts + episodes; slot++) this.#addMembers(slot, concepts);
  }

  close(): void {
    this.headers.free();
    this.#arena.free();
  }

  #addNode(slot: number, isConcept: boolean): void {
    const kind = isConcept ? NODE_KIND.concept : NODE_KIND.episode;
    const { headers } = this;
    const at = headers.indexInChunk(slot) * NODE_HEADER_BYTES + NODE_HEADER.kind;
    headers.u8(headers.chunkOfSlot(slot))[at] = kind;
    this.plain.push({ kind, bindings: [] });
  }

  #addMembers(slot: number, concepts: number): void {
    const first = this.random.below(concepts);
    for (let i = 0; i < CONCEPTS_EACH; i++) {
      const target = (first + i * 7) % concepts;
      const state = { strength: this.random.float(), lastUsedSeconds: 1, useCount: 0 };
      this.writer.set(target, slot, BINDING_KIND.member, state, true);
      this.plain[slot]!.bindings.push({ target, ...state });
    }
  }
}

function countsOf({ isSmall }: Pick<FigureSize, "isSmall">): { concepts: number; episodes: number } {
  return isSmall ? { concepts: 100, episodes: 1000 } : { concepts: 10_000, episodes: 100_000 };
}

if (import.meta.main) await runFigures(bench);
