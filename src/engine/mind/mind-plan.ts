/**
 * Decides what of a `mind` request is done: what the log will say of it, complete, before anything is changed.
 *
 * Parts that name nodes which are no longer there are left out: the sender has read the space a moment ago. A node
 * has room for so many bindings (BINDINGS_FORMED_MAX, BINDINGS_DELIBERATE_MAX); a new one beyond that takes the place
 * of the weakest of them, which the plan takes away explicitly, or is left out where it is weaker still. So the log
 * holds the results, and replaying it needs no bounds.
 */
import type { Hash64 } from "../../base/hash64.ts";
import {
  BINDING_KIND_DELIBERATE,
  BINDINGS_DELIBERATE_MAX,
  BINDINGS_FORMED_MAX,
  bindingClassFor,
  bindingExtentBytes,
} from "../../layout/binding.ts";
import { FORGET, FORGET_HEAD_BYTES, LOG_KIND, REMEMBER } from "../../layout/log-payload.ts";
import { BIND_BYTES, TRAITS_BYTES } from "../../layout/mind-record.ts";
import { bindingKeyOf, keyOf } from "./aside.ts";
import { type BindRecord, BindView } from "./bind-record.ts";
import type { BindingWriter } from "./binding-writer.ts";
import { CompoundBuilder, compoundParts, viewOf } from "./compound.ts";
import { storedFields, TraitsView } from "./traits-record.ts";

/** What a plan has to know of the space. */
export type MindSpace = {
  readonly bindings: BindingWriter;
  /** the live slot of a node, or -1 */
  readonly slotOf: (node: Hash64) => number;
  /** the node in a slot */
  readonly nodeAt: (slot: number) => Hash64;
};

export type MindPlan = {
  /** the compound to be logged and applied; empty where nothing is left to do */
  readonly payload: Uint8Array;
  /** records that will be done, those that only make room aside */
  readonly done: number;
  /** memories that will be stored, and the bytes of their content records */
  readonly stored: number;
  readonly storedBytes: number;
  /** bytes of extents that may be needed */
  readonly bindingBytes: number;
};

/** One node while a plan is made. */
type End = { readonly slot: number; formed: number; deliberate: number; added: number };

export class MindPlanner {
  readonly #out = new CompoundBuilder();
  readonly #traits = new TraitsView();
  readonly #bind = new BindView();
  #space!: MindSpace;
  /** nodes that this compound stores, and forgets */
  readonly #born = new Set<string>();
  readonly #gone = new Set<string>();
  readonly #ends = new Map<string, End>();
  /** bindings that this compound makes, and takes away */
  readonly #made = new Set<string>();
  readonly #taken = new Set<string>();
  #done = 0;
  #stored = 0;
  #storedBytes = 0;

  /** The plan is valid until the next call. @param compound without a fault */
  plan(space: MindSpace, compound: Uint8Array): MindPlan {
    this.#begin(space);
    for (const { kind, payload } of compoundParts(compound)) {
      if (kind === LOG_KIND.remember) this.#planRemember(payload);
      else if (kind === LOG_KIND.forget) this.#planForget(payload);
      else if (kind === LOG_KIND.traits) this.#planTraits(payload);
      else if (kind === LOG_KIND.bind) this.#planBindings(payload);
      else {
        this.#out.part(kind, payload);
        this.#done += 1;
      }
    }
    return {
      payload: this.#out.payload,
      done: this.#done,
      stored: this.#stored,
      storedBytes: this.#storedBytes,
      bindingBytes: this.#bindingBytes(),
    };
  }

  #begin(space: MindSpace): void {
    this.#space = space;
    this.#out.clear();
    this.#born.clear();
    this.#gone.clear();
    this.#ends.clear();
    this.#made.clear();
    this.#taken.clear();
    this.#done = 0;
    this.#stored = 0;
    this.#storedBytes = 0;
  }

  #planRemember(payload: Uint8Array): void {
    const view = viewOf(payload);
    const key = keyOf(hashAt(view, REMEMBER.idHash));
    this.#gone.delete(key);
    this.#born.add(key);
    this.#out.remember(payload);
    this.#stored += 1;
    this.#storedBytes += view.getUint32(REMEMBER.recordBytes, true);
    this.#done += 1;
  }

  #planForget(payload: Uint8Array): void {
    const view = viewOf(payload);
    const node = hashAt(view, FORGET.idHash);
    if (!this.#isThere(node)) return;
    const key = keyOf(node);
    this.#born.delete(key);
    this.#gone.add(key);
    this.#out.forget(payload.subarray(0, FORGET_HEAD_BYTES + view.getUint32(FORGET.idBytes, true)));
    this.#done += 1;
  }

  #planTraits(payload: Uint8Array): void {
    const view = viewOf(payload);
    for (let at = 0; at < payload.byteLength; at += TRAITS_BYTES) {
      const { idHashLow, idHashHigh, traits, fields } = this.#traits.open(view, at);
      const node = { low: idHashLow, high: idHashHigh };
      if (!this.#isThere(node)) continue;
      this.#out.traits(node, storedFields(traits, fields));
      this.#done += 1;
    }
  }

  #planBindings(payload: Uint8Array): void {
    const view = viewOf(payload);
    for (let at = 0; at < payload.byteLength; at += BIND_BYTES) {
      const bind = this.#bind.open(view, at);
      if (!this.#isThere(bind.source) || !this.#isThere(bind.destination)) continue;
      const key = bindingKeyOf(bind);
      const exists = this.#exists(bind, key);
      if (bind.strength <= 0) {
        if (exists) this.#take(bind, key);
        else continue;
      } else if (!exists && !this.#make(bind, key)) continue;
      else this.#out.bind(bind);
      this.#done += 1;
    }
  }

  #exists(bind: BindRecord, key: string): boolean {
    if (this.#made.has(key)) return true;
    if (this.#taken.has(key)) return false;
    const space = this.#space;
    const [source, destination] = [space.slotOf(bind.source), space.slotOf(bind.destination)];
    return source >= 0 && destination >= 0 && space.bindings.find(source, destination, bind.kind) >= 0;
  }

  /** Makes room for a binding at both ends. @returns false where it is weaker than all that would have to go */
  #make(bind: BindRecord, key: string): boolean {
    const ends = [this.#end(bind.source), this.#end(bind.destination)];
    const weakest: BindRecord[] = [];
    for (const end of ends) {
      if (!isFull(end, bind.kind)) continue;
      const candidate = this.#weakest(end, bind.kind);
      if (candidate === undefined || candidate.strength >= bind.strength) return false;
      weakest.push(candidate);
    }
    for (const each of weakest) {
      // Both ends may have chosen the same one.
      const itsKey = bindingKeyOf(each);
      if (!this.#taken.has(itsKey)) this.#take(each, itsKey);
    }
    for (const end of ends) {
      count(end, bind.kind, 1);
      end.added += 1;
    }
    this.#made.add(key);
    this.#taken.delete(key);
    return true;
  }

  #take(bind: BindRecord, key: string): void {
    this.#out.bind({ ...bind, strength: 0 });
    for (const end of [this.#end(bind.source), this.#end(bind.destination)]) count(end, bind.kind, -1);
    this.#made.delete(key);
    this.#taken.add(key);
  }

  /** The weakest binding of a node among the kinds that share its bound; the one used longest ago among equals. */
  #weakest(end: End, kind: number): BindRecord | undefined {
    if (end.slot < 0) return undefined;
    const space = this.#space;
    const { bindings } = space;
    const self = space.nodeAt(end.slot);
    let found: BindRecord | undefined;
    const fanOut = bindings.fanOut(end.slot);
    for (let index = 0; index < fanOut; index++) {
      const each = bindings.at(end.slot, index);
      if (each.kind < BINDING_KIND_DELIBERATE !== kind < BINDING_KIND_DELIBERATE) continue;
      const isWeaker =
        found === undefined ||
        each.strength < found.strength ||
        (each.strength === found.strength && each.lastUsedSeconds < found.lastUsedSeconds);
      if (!isWeaker) continue;
      const other = space.nodeAt(each.target);
      const candidate = {
        ...each,
        source: each.isReverse ? other : self,
        destination: each.isReverse ? self : other,
      };
      if (!this.#taken.has(bindingKeyOf(candidate))) found = candidate;
    }
    return found;
  }

  #end(node: Hash64): End {
    const key = keyOf(node);
    const known = this.#ends.get(key);
    if (known !== undefined) return known;
    const space = this.#space;
    const { bindings } = space;
    const end: End = { slot: space.slotOf(node), formed: 0, deliberate: 0, added: 0 };
    this.#ends.set(key, end);
    const fanOut = end.slot < 0 ? 0 : bindings.fanOut(end.slot);
    for (let index = 0; index < fanOut; index++) count(end, bindings.kindAt(end.slot, index), 1);
    return end;
  }

  #isThere(node: Hash64): boolean {
    if (this.#born.size > 0 || this.#gone.size > 0) {
      const key = keyOf(node);
      if (this.#gone.has(key)) return false;
      if (this.#born.has(key)) return true;
    }
    return this.#space.slotOf(node) >= 0;
  }

  #bindingBytes(): number {
    let bytes = 0;
    for (const { slot, added } of this.#ends.values()) {
      if (added === 0) continue;
      const fanOut = slot < 0 ? 0 : this.#space.bindings.fanOut(slot);
      // A list that doubles more than once leaves the sizes in between behind: together less than the last one.
      bytes += 2 * bindingExtentBytes(bindingClassFor(fanOut + added));
    }
    return bytes;
  }
}

function isFull(end: End, kind: number): boolean {
  return kind < BINDING_KIND_DELIBERATE
    ? end.formed >= BINDINGS_FORMED_MAX
    : end.deliberate >= BINDINGS_DELIBERATE_MAX;
}

function count(end: End, kind: number, change: number): void {
  if (kind < BINDING_KIND_DELIBERATE) end.formed += change;
  else end.deliberate += change;
}

function hashAt(view: DataView, at: number): Hash64 {
  return { low: view.getUint32(at, true), high: view.getUint32(at + 4, true) };
}
