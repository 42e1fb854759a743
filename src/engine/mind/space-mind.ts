/**
 * The mind of one space as its home writer has it: kinds, traits and bindings of the nodes, and how far the walks
 * over them have come. The space's writer tells it of nodes that are stored, replaced and forgotten; the log's records
 * of the kinds 5, 6 and 8 are applied here, in service and in recovery alike.
 *
 *   born() before a node is published ─▶ succeed() where it replaced another ─▶ traits, bindings … ─▶ forget()
 *
 * A replaced node hands its traits and bindings to its successor; a forgotten one loses its bindings at both ends.
 */
import type { Hash64 } from "../../base/hash64.ts";
import {
  BIND_BYTES,
  PROGRESS,
  TRAIT_FIELD,
  TRAIT_FIELDS_ALL,
  TRAITS_BYTES,
  WALK,
  type Walk,
} from "../../layout/mind-record.ts";
import { NODE_HEADER, NODE_HEADER_BYTES, NODE_KIND, NODE_PHASE } from "../../layout/node-header.ts";
import { SPACE_NUMBER } from "../../layout/space-root.ts";
import type { ByteArena, SlotArena } from "../../shm/arena.ts";
import { idHashAt } from "../id-index.ts";
import type { SpaceRoot } from "../space-table.ts";
import { MindAside } from "./aside.ts";
import { type BindRecord, BindView } from "./bind-record.ts";
import { BindingWriter } from "./binding-writer.ts";
import { viewOf } from "./compound.ts";
import { kindOf, phaseOf, readTraits, sequenceOf, storeTraits } from "./node-traits.ts";
import { type NodeTraits, TRAITS_AT_BIRTH, TraitsView } from "./traits-record.ts";

/** Follows along while a space is compacted. */
export type MindMirror = {
  readonly traitsChanged: (slot: number) => void;
  readonly bound: (source: number, destination: number, bind: BindRecord) => void;
};

/** What a new node brings along. */
export type NodeBirth = {
  /** a NODE_KIND */
  readonly kind: number;
  /** undefined where its storer gave none, as for every plain memory */
  readonly importance: number | undefined;
  readonly valence: number | undefined;
};

const WALKS: Readonly<
  Record<
    Walk,
    {
      sequence: "associatedSequence" | "consolidatedSequence";
      count: "associatedCount" | "consolidatedCount";
    }
  >
> = {
  association: { sequence: "associatedSequence", count: "associatedCount" },
  consolidation: { sequence: "consolidatedSequence", count: "consolidatedCount" },
};
const BROUGHT_ALONG = TRAIT_FIELD.importance | TRAIT_FIELD.valence;
const WALK_NAMES = Object.keys(WALK) as readonly Walk[];

export class SpaceMind {
  readonly bindings: BindingWriter;
  mirror: MindMirror | undefined;
  readonly #root: SpaceRoot;
  readonly headers: SlotArena;
  /** the live slot of a node, or -1 */
  readonly slotOf: (node: Hash64) => number;
  readonly #traitsView = new TraitsView();
  readonly #bindView = new BindView();
  readonly #scratch: NodeTraits = { ...TRAITS_AT_BIRTH };
  /** while recovery replays the log over a checkpoint */
  #aside: MindAside | undefined;

  /** @param options.slotOf the live slot of a node, or -1 */
  constructor(options: {
    root: SpaceRoot;
    headers: SlotArena;
    arena: ByteArena;
    slotOf: (node: Hash64) => number;
  }) {
    this.#root = options.root;
    this.headers = options.headers;
    this.slotOf = options.slotOf;
    this.bindings = new BindingWriter(options.root, options.headers, options.arena);
  }

  /** The node in a slot. */
  nodeAt(slot: number): Hash64 {
    return idHashAt(this.headers, slot);
  }

  /** When the node in a slot was stored, ms since the epoch. */
  storedAtMs(slot: number): number {
    const at = (this.headers.indexInChunk(slot) * NODE_HEADER_BYTES + NODE_HEADER.storedAtMs) / 8;
    return this.headers.f64(this.headers.chunkOfSlot(slot))[at]!;
  }

  /** Fills in what a node that is about to be published starts with. @param older the slot it replaces, or -1 */
  born(slot: number, { kind, importance, valence }: NodeBirth, older: number): void {
    const headers = this.headers;
    headers.u8(headers.chunkOfSlot(slot))[headers.indexInChunk(slot) * NODE_HEADER_BYTES + NODE_HEADER.kind] =
      kind;
    // A new slot is all zeros, and a plain memory that replaces nothing has nothing more to say.
    if (older < 0 && importance === undefined) {
      storeTraits(headers, slot, TRAITS_AT_BIRTH, TRAIT_FIELD.importance);
      this.#countNode(kind, NODE_PHASE.recent, 1);
      return;
    }
    const traits = this.#scratch;
    if (older >= 0) readTraits(headers, older, traits);
    else Object.assign(traits, TRAITS_AT_BIRTH);
    if (importance !== undefined) traits.importance = importance;
    if (valence !== undefined) traits.valence = valence;
    storeTraits(headers, slot, traits, TRAIT_FIELDS_ALL);
    this.#countNode(kind, traits.phase, 1);
  }

  /** The node is published, and the one that it replaced is still there. */
  succeed(older: number, slot: number): void {
    if (this.bindings.fanOut(older) === 0) return;
    this.bindings.handOn(older, slot);
    this.#changed();
  }

  /** Gives a node that was just stored what was kept aside for it. */
  settle(slot: number, low: number, high: number, { importance }: NodeBirth): void {
    if (this.#aside === undefined) return;
    const node = { low, high };
    const { traits, fields, bindings } = this.#aside.claim(node, (end) => this.slotOf(end) >= 0);
    // What the node brought along is newer than what was kept.
    const kept = importance === undefined ? fields : fields & ~BROUGHT_ALONG;
    if (kept !== 0) this.setTraits(slot, traits, kept);
    for (const bind of bindings) this.#bind(this.slotOf(bind.source), this.slotOf(bind.destination), bind);
  }

  /** The node is forgotten, or has a successor already. */
  forget(slot: number): void {
    this.#countNode(kindOf(this.headers, slot), phaseOf(this.headers, slot), -1);
    if (this.bindings.fanOut(slot) === 0) return;
    this.bindings.unbind(slot);
    this.#changed();
  }

  /** The log has forgotten the node, whether it was there or not. */
  forgetAside(node: Hash64): void {
    this.#aside?.forget(node);
  }

  applyTraits(payload: Uint8Array): void {
    const view = viewOf(payload);
    for (let at = 0; at < payload.byteLength; at += TRAITS_BYTES) {
      const { traits, fields, idHashLow, idHashHigh } = this.#traitsView.open(view, at);
      const node = { low: idHashLow, high: idHashHigh };
      const slot = this.slotOf(node);
      if (slot >= 0) this.setTraits(slot, traits, fields);
      else this.#aside?.keepTraits(node, traits, fields);
    }
    this.#changed();
  }

  applyBind(payload: Uint8Array): void {
    const view = viewOf(payload);
    for (let at = 0; at < payload.byteLength; at += BIND_BYTES) {
      const bind = this.#bindView.open(view, at);
      const source = this.slotOf(bind.source);
      const destination = this.slotOf(bind.destination);
      if (source >= 0 && destination >= 0) this.#bind(source, destination, bind);
      else
        this.#aside?.keepBinding({
          ...bind,
          source: { ...bind.source },
          destination: { ...bind.destination },
        });
    }
    this.#changed();
  }

  applyProgress(payload: Uint8Array): void {
    const view = viewOf(payload);
    const walk = WALK_NAMES[view.getUint32(PROGRESS.walk, true)];
    if (walk === undefined) return;
    this.setProgress(walk, view.getFloat64(PROGRESS.sequence, true));
  }

  /** The walk has done every node up to the one with this sequence number. */
  setProgress(walk: Walk, sequence: number): void {
    const { sequence: number, count } = WALKS[walk];
    this.#root.setNumber(number, sequence);
    this.#root.publish(count, this.#slotsUpTo(sequence));
  }

  /** How far a walk has come. */
  progress(walk: Walk): number {
    return this.#root.number(WALKS[walk].sequence);
  }

  /** Counts uses, by USE. */
  countUses(done: readonly number[]): void {
    const { numbers } = this.#root;
    for (const [how, count] of done.entries()) numbers[SPACE_NUMBER.usesRetrieved + how]! += count;
  }

  /** Goes on where the mind of another image of the space stood. */
  continueFrom(other: SpaceMind): void {
    for (const walk of WALK_NAMES) this.setProgress(walk, other.progress(walk));
    const [from, to] = [other.#root, this.#root];
    for (const uses of ["usesRetrieved", "usesReinforced", "usesPrimed"] as const) {
      to.setNumber(uses, from.number(uses));
    }
    to.publish("mindGeneration", from.load("mindGeneration") + 1);
  }

  /** Takes over the headers of a checkpoint: kinds are there, the rest of line 1 is as at birth. */
  restore(nodeCount: number, isForgotten: (slot: number) => boolean): void {
    for (let slot = 0; slot < nodeCount; slot++) {
      storeTraits(this.headers, slot, TRAITS_AT_BIRTH, TRAIT_FIELD.importance);
      if (!isForgotten(slot)) this.#countNode(kindOf(this.headers, slot), NODE_PHASE.recent, 1);
    }
  }

  /** From here on, what concerns nodes that are not there is kept aside for them. */
  beginReplay(): void {
    this.#aside = new MindAside();
  }

  /** The whole log was applied: what is still aside concerns nobody. */
  finishReplay(): void {
    this.#aside = undefined;
    for (const walk of WALK_NAMES) this.setProgress(walk, this.progress(walk));
  }

  /**
   * Numbers all nodes anew, below 1, for a log that begins at 1: numbers grow with the slot, and what the walks have
   * done stays done.
   */
  renumber(nodeCount: number): void {
    for (const walk of WALK_NAMES) {
      this.#root.setNumber(WALKS[walk].sequence, this.#root.load(WALKS[walk].count) - 1 - nodeCount);
    }
    const headers = this.headers;
    for (let slot = 0; slot < nodeCount; slot++) {
      const at = (headers.indexInChunk(slot) * NODE_HEADER_BYTES + NODE_HEADER.sequence) / 8;
      headers.f64(headers.chunkOfSlot(slot))[at] = slot - nodeCount;
    }
  }

  /** Writes the fields of the mask. */
  setTraits(slot: number, traits: Readonly<NodeTraits>, fields: number): void {
    if (fields & TRAIT_FIELD.phase) {
      this.#countPhase(phaseOf(this.headers, slot), -1);
      this.#countPhase(traits.phase, 1);
    }
    storeTraits(this.headers, slot, traits, fields);
    this.mirror?.traitsChanged(slot);
  }

  #bind(source: number, destination: number, bind: BindRecord): void {
    this.bindings.set(source, destination, bind.kind, bind);
    this.mirror?.bound(source, destination, bind);
  }

  #countNode(kind: number, phase: number, change: number): void {
    const root = this.#root;
    if (kind === NODE_KIND.concept) root.publish("conceptCount", root.load("conceptCount") + change);
    else if (kind === NODE_KIND.episode) root.publish("episodeCount", root.load("episodeCount") + change);
    this.#countPhase(phase, change);
  }

  #countPhase(phase: number, change: number): void {
    const { numbers } = this.#root;
    if (phase === NODE_PHASE.consolidating) numbers[SPACE_NUMBER.consolidatingCount]! += change;
    else if (phase === NODE_PHASE.remote) numbers[SPACE_NUMBER.remoteCount]! += change;
  }

  #changed(): void {
    this.#root.publish("mindGeneration", this.#root.load("mindGeneration") + 1);
  }

  /** Slots up to the last one whose number is not above: numbers grow with the slot. */
  #slotsUpTo(sequence: number): number {
    let low = 0;
    let high = this.#root.load("nodeCount");
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sequenceOf(this.headers, middle) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
