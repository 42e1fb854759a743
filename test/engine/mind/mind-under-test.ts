/**
 * A space of one thread with a log in memory, and beside it a naive twin of its mind: two maps. Operations go to both,
 * as a home writer would do them: planned, logged, applied.
 */
import { expect } from "bun:test";
import type { Hash64 } from "../../../src/base/hash64.ts";
import type { Random } from "../../../src/base/random.ts";
import { idKeyOf } from "../../../src/engine/id-key.ts";
import { BindingList, BindingReader } from "../../../src/engine/mind/binding-reader.ts";
import { CompoundBuilder } from "../../../src/engine/mind/compound.ts";
import { MindPlanner } from "../../../src/engine/mind/mind-plan.ts";
import { kindOf, readTraits, sequenceOf } from "../../../src/engine/mind/node-traits.ts";
import { type NodeTraits, TRAITS_AT_BIRTH } from "../../../src/engine/mind/traits-record.ts";
import { SpaceKeeper } from "../../../src/engine/space-keeper.ts";
import { SpaceTable } from "../../../src/engine/space-table.ts";
import type { SpaceWriter } from "../../../src/engine/space-writer.ts";
import { hashText, PayloadEncoder } from "../../../src/engine/write-codec.ts";
import { BINDING_KIND_COUNT } from "../../../src/layout/binding.ts";
import { LOG_KIND } from "../../../src/layout/log-payload.ts";
import { NODE_KIND, NODE_PHASE, type NodeKind } from "../../../src/layout/node-header.ts";
import { SPACE_NUMBER } from "../../../src/layout/space-root.ts";
import { EpochReader, Epochs, makeEpochs } from "../../../src/shm/epochs.ts";

const DIMENSIONS = 8;
const ID_COUNT = 30;
/** So few that no node comes near its bound: what happens there is decided by the planner, and tested by itself. */
const KINDS = [1, 3, 5] as const;
const NODE_KINDS: readonly NodeKind[] = ["memory", "memory", "episode", "concept"];

type TwinNode = { kind: NodeKind; traits: NodeTraits };
type TwinBinding = { strength: number; lastUsedSeconds: number; useCount: number };

export type LoggedRecord = { readonly kind: number; readonly payload: Uint8Array; readonly sequence: number };

export function makeKeeper(epochs: Epochs, compactForgottenMin?: number): SpaceKeeper {
  return new SpaceKeeper({
    table: new SpaceTable(SpaceTable.allocate(4)),
    writerCount: 1,
    space: { policy: { hugePages: "off" }, writer: 0, M: 8, efConstruction: 32 },
    epochs,
    ...(compactForgottenMin === undefined ? {} : { compactForgottenMin }),
  });
}

export class MindUnderTest {
  readonly #epochBuffer = makeEpochs(1);
  readonly epochs = new Epochs(this.#epochBuffer);
  readonly epoch = new EpochReader(this.#epochBuffer, 0);
  readonly keeper: SpaceKeeper;
  readonly log: LoggedRecord[] = [];
  readonly nodes = new Map<string, TwinNode>();
  readonly bindings = new Map<string, TwinBinding>();
  /** sequence numbers that the walks have come to */
  readonly walks = { association: 0, consolidation: 0 };
  readonly #random: Random;
  readonly #planner = new MindPlanner();
  readonly #encoder = new PayloadEncoder();
  readonly #builder = new CompoundBuilder();

  constructor(random: Random, compactForgottenMin?: number) {
    this.#random = random;
    this.keeper = makeKeeper(this.epochs, compactForgottenMin);
    this.keeper.create(
      {
        spaceId: 1,
        name: "test",
        dimensions: DIMENSIONS,
        embedder: "none",
        language: "english",
        quantization: "bf16",
        createdAtMs: 1,
      },
      0,
    );
  }

  get space(): SpaceWriter {
    return this.keeper.byId(1)!;
  }

  /** Does one random operation on both. */
  step(): void {
    const dice = this.#random.below(10);
    if (dice < 3) this.remember(this.#id(), this.#random.pick(NODE_KINDS));
    else if (dice < 4) this.forget(this.#id());
    else this.#compound();
  }

  remember(id: string, kind: NodeKind): void {
    this.#log(LOG_KIND.remember, this.#rememberPayload(id, kind));
    this.#twinRemember(id, kind);
  }

  forget(id: string): void {
    if (!this.nodes.has(id)) return;
    this.#log(LOG_KIND.forget, this.#encoder.forget(id).slice());
    this.#twinForget(id);
  }

  /** Sends a compound as a background thread would. */
  send(build: (compound: CompoundBuilder) => void): number {
    build(this.#builder.clear());
    const plan = this.#planner.plan(this.space.mind, this.#builder.payload);
    if (plan.payload.byteLength > 0) this.#log(LOG_KIND.compound, plan.payload.slice());
    return plan.done;
  }

  /** Compares a space with the twin, all of it. */
  expectSame(keeper: SpaceKeeper, where: string): void {
    const space = keeper.byId(1)!;
    const { root, arenas } = space;
    const reader = new BindingReader(arenas.headers, root.number("bindingTable"));
    const list = new BindingList();
    const idBySlot = new Map<number, string>();
    for (let i = 0; i < ID_COUNT; i++) {
      const slot = space.find(idKeyOf(`id-${i}`));
      expect(slot >= 0, `${where}: id-${i}`).toBe(this.nodes.has(`id-${i}`));
      if (slot >= 0) idBySlot.set(slot, `id-${i}`);
    }
    const found = new Map<string, TwinBinding>();
    const foundReversed = new Map<string, TwinBinding>();
    for (const [slot, id] of idBySlot) {
      const { kind, traits } = this.nodes.get(id)!;
      expect(kindOf(arenas.headers, slot), `${where}: kind of ${id}`).toBe(NODE_KIND[kind]);
      expect(readTraits(arenas.headers, slot, { ...TRAITS_AT_BIRTH }), `${where}: traits of ${id}`).toEqual(
        traits,
      );
      const count = reader.read(slot, space.nodeCount, list);
      expect(reader.fanOut(slot)).toBe(count);
      for (let b = 0; b < count; b++) {
        const other = idBySlot.get(list.targets[b]!);
        const isReverse = list.reversed[b] === 1;
        const key = isReverse ? `${other}>${id}:${list.kinds[b]}` : `${id}>${other}:${list.kinds[b]}`;
        (isReverse ? foundReversed : found).set(key, {
          strength: list.strengths[b]!,
          lastUsedSeconds: list.lastUsedSeconds[b]!,
          useCount: list.useCounts[b]!,
        });
      }
    }
    expect(sorted(found), `${where}: bindings`).toEqual(sorted(this.bindings));
    expect(sorted(foundReversed), `${where}: bindings at their destinations`).toEqual(sorted(this.bindings));
    this.#expectCounts(space, where);
  }

  #expectCounts({ root, arenas, nodeCount }: SpaceWriter, where: string): void {
    const nodes = [...this.nodes.values()];
    const counts = {
      live: root.load("liveCount"),
      concepts: root.load("conceptCount"),
      episodes: root.load("episodeCount"),
      consolidating: root.number("consolidatingCount"),
      remote: root.number("remoteCount"),
      bindings: root.load("bindingCount"),
      byKind: [...root.numbers.subarray(SPACE_NUMBER.bindingsByKind).subarray(0, BINDING_KIND_COUNT)],
      associated: root.load("associatedCount"),
      consolidated: root.load("consolidatedCount"),
    };
    const byKind = new Array<number>(BINDING_KIND_COUNT).fill(0);
    for (const key of this.bindings.keys()) byKind[Number(key.split(":")[1])]! += 1;
    const upTo = (sequence: number): number => {
      let slots = 0;
      while (slots < nodeCount && sequenceOf(arenas.headers, slots) <= sequence) slots += 1;
      return slots;
    };
    expect(counts, `${where}: counts`).toEqual({
      live: nodes.length,
      concepts: nodes.filter(({ kind }) => kind === "concept").length,
      episodes: nodes.filter(({ kind }) => kind === "episode").length,
      consolidating: nodes.filter(({ traits }) => traits.phase === NODE_PHASE.consolidating).length,
      remote: nodes.filter(({ traits }) => traits.phase === NODE_PHASE.remote).length,
      bindings: this.bindings.size,
      byKind,
      associated: upTo(this.walks.association),
      consolidated: upTo(this.walks.consolidation),
    });
  }

  /** A compound of a few random parts, some of which name what is not there. */
  #compound(): void {
    let expected = 0;
    const done = this.send((compound) => {
      for (let parts = 1 + this.#random.below(6); parts > 0; parts--) {
        const dice = this.#random.below(12);
        if (dice < 6) expected += this.#bind(compound);
        else if (dice < 10) expected += this.#traits(compound);
        else if (dice < 11) expected += this.#progress(compound);
        else {
          const id = this.#id();
          compound.remember(this.#rememberPayload(id, "concept"));
          this.#twinRemember(id, "concept");
          expected += 1;
        }
      }
    });
    expect(done).toBe(expected);
  }

  #bind(compound: CompoundBuilder): number {
    const [source, destination] = [this.#id(), this.#id()];
    if (source === destination) return 0;
    const kind = this.#random.pick(KINDS);
    const strength = this.#random.below(4) === 0 ? 0 : Math.fround(this.#random.float() * 0.9 + 0.1);
    const state = {
      strength,
      lastUsedSeconds: this.#random.below(1_800_000_000),
      useCount: this.#random.below(65_536),
    };
    compound.bind({ source: hashOf(source), destination: hashOf(destination), kind, ...state });
    if (!this.nodes.has(source) || !this.nodes.has(destination)) return 0;
    const key = `${source}>${destination}:${kind}`;
    if (strength === 0) return this.bindings.delete(key) ? 1 : 0;
    this.bindings.set(key, state);
    return 1;
  }

  #traits(compound: CompoundBuilder): number {
    const id = this.#id();
    const all: NodeTraits = {
      lastUsedMs: this.#random.below(2 ** 41),
      useCount: this.#random.below(1000),
      stabilityHours: Math.fround(this.#random.float() * 1000),
      importance: Math.fround(this.#random.float()),
      valence: Math.fround(this.#random.float() * 2 - 1),
      lastActivation: Math.fround(this.#random.float()),
      coherence: Math.fround(this.#random.float()),
      memberCount: this.#random.below(500),
      phase: this.#random.below(3),
    };
    const some = Object.fromEntries(Object.entries(all).filter(() => this.#random.below(2) === 0));
    compound.traits(hashOf(id), some);
    const node = this.nodes.get(id);
    if (node === undefined) return 0;
    Object.assign(node.traits, some);
    return 1;
  }

  #progress(compound: CompoundBuilder): number {
    const walk = this.#random.below(2) === 0 ? "association" : "consolidation";
    this.walks[walk] = this.#random.below(this.log.length + 1);
    compound.progress(walk, this.walks[walk]);
    return 1;
  }

  #rememberPayload(id: string, kind: NodeKind): Uint8Array {
    return this.#encoder
      .remember({
        id,
        content: `about ${id} ${this.#random.below(1000)}`,
        metadataJson: undefined,
        tags: [],
        timestampMs: 5,
        storedAtMs: 6,
        confidence: 0.7,
        vector: new Float32Array(DIMENSIONS).fill(1 / Math.sqrt(DIMENSIONS)),
        norm: 1,
        replaces: true,
        kind,
        importance: 0.25,
        valence: -0.5,
      })
      .slice();
  }

  #twinRemember(id: string, kind: NodeKind): void {
    const traits = this.nodes.get(id)?.traits ?? { ...TRAITS_AT_BIRTH };
    if (kind !== "memory") Object.assign(traits, { importance: 0.25, valence: -0.5 });
    this.nodes.set(id, { kind, traits });
  }

  #twinForget(id: string): void {
    this.nodes.delete(id);
    for (const key of [...this.bindings.keys()]) {
      if (key.startsWith(`${id}>`) || key.includes(`>${id}:`)) this.bindings.delete(key);
    }
  }

  #log(kind: number, payload: Uint8Array): void {
    const sequence = this.log.length + 1;
    this.log.push({ kind, payload, sequence });
    this.keeper.applier.apply(this.space, kind, payload, sequence);
  }

  #id(): string {
    return `id-${this.#random.below(ID_COUNT)}`;
  }
}

export function hashOf(id: string): Hash64 {
  const hash: Hash64 = { low: 0, high: 0 };
  hashText(id, hash);
  return hash;
}

function sorted(map: ReadonlyMap<string, TwinBinding>): [string, TwinBinding][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
