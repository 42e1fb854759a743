/**
 * Finds out, for one space, what a new memory has to do with earlier ones: time and session, similarity, names and
 * tags they share. It only reads; what it found becomes bindings through the home writer (`associator.ts`).
 *
 * Everything here happens inside one epoch. A memory is bound to earlier ones only, so that each pair is met once.
 */
import type { VectorSearcher } from "../../index/vector-searcher.ts";
import type { ScoreAccumulator } from "../../index/word-index-reader.ts";
import { entitiesIn } from "../../language/entity.ts";
import { TermBuffer } from "../../language/term-buffer.ts";
import { BINDING_KIND } from "../../layout/binding.ts";
import { NODE_KIND } from "../../layout/node-header.ts";
import type { Memory } from "../engine.ts";
import type { SpaceReader } from "../space-reader.ts";
import type { AssociationSettings } from "./association-settings.ts";
import { type Moment, type Tie, tiesInTime } from "./neighbours.ts";
import { TagTrails } from "./tag-trails.ts";

/** Fields of an episode's details and of metadata that name the session of a memory, the first that is there. */
const SESSION_FIELDS = [
  ...["session", "session_id", "conversation", "conversation_id"],
  ...["thread", "thread_id", "episode", "episode_id"],
] as const;
/** Earlier memories among which neighbours in time are looked for. */
const LOOK_BACK = 64;
/** Earlier memories whose tags are read when the space is met again. */
const TAG_LOOK_BACK = 8192;
const ENTITIES_MAX = 16;
const SEARCH_EF = 32;

export class SpaceAssociator {
  readonly reader: SpaceReader;
  readonly #settings: AssociationSettings;
  readonly #accumulator: ScoreAccumulator;
  readonly #searcher: VectorSearcher;
  readonly #term = new TermBuffer();
  readonly #vector: Float32Array;
  readonly #moments: Moment[] = [];
  #tags: TagTrails | undefined;

  constructor(options: {
    reader: SpaceReader;
    settings: AssociationSettings;
    accumulator: ScoreAccumulator;
    searcher: VectorSearcher;
  }) {
    this.reader = options.reader;
    this.#settings = options.settings;
    this.#accumulator = options.accumulator;
    this.#searcher = options.searcher;
    this.#vector = new Float32Array(options.reader.dimensions);
  }

  /** What the memory in a slot is bound to; nothing where it is no memory any more. Slots are asked in order. */
  ties(slot: number): Tie[] {
    const { reader } = this;
    this.#comeTo(slot);
    if (!reader.isLive(slot) || reader.kind(slot) === NODE_KIND.concept) return [];
    const memory = reader.memory(slot);
    const moment = momentOf(slot, memory);
    const ties = [
      ...tiesInTime(moment, this.#moments, this.#settings),
      ...this.#similar(slot),
      ...this.#named(slot, memory),
      ...this.#tagged(slot, memory),
    ];
    this.#remember(moment);
    return ties.filter((tie) => reader.isLive(tie.slot));
  }

  /** Reads what came before a slot, where another slot than the next one is asked for. */
  #comeTo(slot: number): void {
    const last = this.#moments.at(-1);
    if (last !== undefined && last.slot < slot && slot - last.slot <= LOOK_BACK) return;
    this.#moments.length = 0;
    for (let earlier = Math.max(0, slot - LOOK_BACK); earlier < slot; earlier++) {
      if (this.reader.isLive(earlier)) this.#remember(momentOf(earlier, this.reader.memory(earlier)));
    }
  }

  #remember(moment: Moment): void {
    this.#moments.push(moment);
    if (this.#moments.length > LOOK_BACK) this.#moments.shift();
  }

  #similar(slot: number): Tie[] {
    const { similar, similarityMin } = this.#settings;
    const { reader } = this;
    if (similar === 0 || reader.isPending(slot)) return [];
    reader.vectors.readInto(slot, new Uint8Array(this.#vector.buffer), this.#vector.byteLength);
    // Itself is among them, and the tail is left out: a memory just stored is compared when it is in the graph.
    const wanted = { k: similar + 1, ef: SEARCH_EF, nodeCount: slot + 1 };
    const searcher = this.#searcher;
    const count = searcher.search(reader.root.number("graph"), this.#vector, wanted);
    const ties: Tie[] = [];
    for (let i = 0; i < count && ties.length < similar; i++) {
      const strength = searcher.similarities[i]!;
      if (searcher.slots[i]! >= slot || !(strength >= similarityMin)) continue;
      ties.push({ slot: searcher.slots[i]!, kind: BINDING_KIND.similar, strength: Math.min(1, strength) });
    }
    return ties;
  }

  /** Earlier memories that say a name or number which few say. */
  #named(slot: number, memory: Memory): Tie[] {
    const { shared, sharedByMax } = this.#settings;
    const { reader } = this;
    if (shared === 0) return [];
    const ties = new Map<number, Tie>();
    for (const { lo, hi } of entitiesIn(memory.content, reader.language, ENTITIES_MAX)) {
      const count = reader.words.liveCount(lo, hi);
      if (count < 2 || count > sharedByMax) continue;
      for (const other of this.#lastWith(lo, hi, slot)) {
        const strength = 1 / Math.sqrt(count);
        if ((ties.get(other)?.strength ?? 0) < strength)
          ties.set(other, { slot: other, kind: BINDING_KIND.entity, strength });
      }
    }
    return [...ties.values()];
  }

  /** The last live memories before `slot` that hold a term. */
  #lastWith(lo: number, hi: number, slot: number): number[] {
    const { reader } = this;
    const accumulator = this.#accumulator;
    this.#term.clear();
    this.#term.add(lo, hi);
    reader.words.score(this.#term, { nodeCount: slot, liveCount: slot, averageTokens: 1 });
    const slots = [...accumulator.touched.subarray(0, accumulator.touchedCount)];
    accumulator.reset();
    return slots
      .filter((other) => reader.isLive(other))
      .sort((a, b) => b - a)
      .slice(0, this.#settings.shared);
  }

  #tagged(slot: number, memory: Memory): Tie[] {
    const { shared, sharedByMax } = this.#settings;
    if (shared === 0) return [];
    const trails = this.#trailsBefore(slot);
    const ties = new Map<number, Tie>();
    for (const tag of memory.tags) {
      const { count, slots } = trails.of(tag);
      if (count > 0 && count < sharedByMax) {
        const strength = 1 / Math.sqrt(count + 1);
        for (const other of slots) {
          if (other < slot && (ties.get(other)?.strength ?? 0) < strength)
            ties.set(other, { slot: other, kind: BINDING_KIND.tag, strength });
        }
      }
      trails.add(tag, slot);
    }
    return [...ties.values()];
  }

  #trailsBefore(slot: number): TagTrails {
    if (this.#tags !== undefined) return this.#tags;
    const { reader } = this;
    const trails = new TagTrails(this.#settings.shared);
    for (let earlier = Math.max(0, slot - TAG_LOOK_BACK); earlier < slot; earlier++) {
      if (!reader.hasTags(earlier) || !reader.isLive(earlier)) continue;
      for (const tag of reader.memory(earlier).tags) trails.add(tag, earlier);
    }
    this.#tags = trails;
    return trails;
  }
}

function momentOf(slot: number, { timestampMs, detailsJson, metadataJson }: Memory): Moment {
  return { slot, timestampMs, session: sessionIn(detailsJson) ?? sessionIn(metadataJson) };
}

function sessionIn(json: string | undefined): string | undefined {
  if (json === undefined) return undefined;
  const facts = JSON.parse(json) as Record<string, unknown>;
  for (const field of SESSION_FIELDS) {
    const value = facts[field];
    if (typeof value === "string" || typeof value === "number") return String(value);
  }
  return undefined;
}
