/**
 * Traits records (`layout/mind-record.ts`): what of a node changes while it lives, as numbers, to and from bytes.
 */
import type { Hash64 } from "../../base/hash64.ts";
import { TRAIT_FIELD, TRAIT_FIELDS_ALL, TRAITS, TRAITS_BYTES } from "../../layout/mind-record.ts";
import { IMPORTANCE_DEFAULT, NODE_PHASE } from "../../layout/node-header.ts";

export type NodeTraits = {
  /** ms since the epoch; 0 while it was never used */
  lastUsedMs: number;
  useCount: number;
  /** 0 until a use has set it */
  stabilityHours: number;
  /** 0 to 1 */
  importance: number;
  /** -1 to 1 */
  valence: number;
  lastActivation: number;
  coherence: number;
  memberCount: number;
  /** a NODE_PHASE */
  phase: number;
};

export type TraitName = keyof NodeTraits;

/** Those of a node that was just stored, and whose storer said nothing of them. */
export const TRAITS_AT_BIRTH: Readonly<NodeTraits> = {
  lastUsedMs: 0,
  useCount: 0,
  stabilityHours: 0,
  importance: IMPORTANCE_DEFAULT,
  valence: 0,
  lastActivation: 0,
  coherence: 0,
  memberCount: 0,
  phase: NODE_PHASE.recent,
};

export const TRAIT_NAMES = Object.keys(TRAIT_FIELD) as readonly TraitName[];

/** Writes a record with the fields that are given. */
export function writeTraits(view: DataView, at: number, node: Hash64, traits: Partial<NodeTraits>): void {
  view.setUint32(at + TRAITS.idHash, node.low, true);
  view.setUint32(at + TRAITS.idHash + 4, node.high, true);
  view.setFloat64(at + TRAITS.lastUsedMs, traits.lastUsedMs ?? 0, true);
  view.setUint32(at + TRAITS.useCount, traits.useCount ?? 0, true);
  view.setFloat32(at + TRAITS.stabilityHours, traits.stabilityHours ?? 0, true);
  view.setFloat32(at + TRAITS.importance, traits.importance ?? 0, true);
  view.setFloat32(at + TRAITS.valence, traits.valence ?? 0, true);
  view.setFloat32(at + TRAITS.lastActivation, traits.lastActivation ?? 0, true);
  view.setFloat32(at + TRAITS.coherence, traits.coherence ?? 0, true);
  view.setUint32(at + TRAITS.memberCount, traits.memberCount ?? 0, true);
  view.setUint8(at + TRAITS.phase, traits.phase ?? 0);
  view.setUint8(at + TRAITS.phase + 1, 0);
  let fields = 0;
  for (const name of TRAIT_NAMES) if (traits[name] !== undefined) fields |= TRAIT_FIELD[name];
  view.setUint16(at + TRAITS.fields, fields, true);
}

/** A traits record opened for reading; reused from record to record. */
export class TraitsView {
  idHashLow = 0;
  idHashHigh = 0;
  /** TRAIT_FIELD bits: what the record speaks of */
  fields = 0;
  /** of the record; what it does not speak of is 0 */
  readonly traits: NodeTraits = { ...TRAITS_AT_BIRTH };

  open(view: DataView, at: number): this {
    const { traits } = this;
    this.idHashLow = view.getUint32(at + TRAITS.idHash, true);
    this.idHashHigh = view.getUint32(at + TRAITS.idHash + 4, true);
    traits.lastUsedMs = view.getFloat64(at + TRAITS.lastUsedMs, true);
    traits.useCount = view.getUint32(at + TRAITS.useCount, true);
    traits.stabilityHours = view.getFloat32(at + TRAITS.stabilityHours, true);
    traits.importance = view.getFloat32(at + TRAITS.importance, true);
    traits.valence = view.getFloat32(at + TRAITS.valence, true);
    traits.lastActivation = view.getFloat32(at + TRAITS.lastActivation, true);
    traits.coherence = view.getFloat32(at + TRAITS.coherence, true);
    traits.memberCount = view.getUint32(at + TRAITS.memberCount, true);
    traits.phase = view.getUint8(at + TRAITS.phase);
    this.fields = view.getUint16(at + TRAITS.fields, true);
    return this;
  }
}

/** Why the records can not be what was meant, or undefined. */
export function traitsFault(view: DataView): string | undefined {
  if (view.byteLength % TRAITS_BYTES !== 0) return `traits of ${view.byteLength} bytes are not whole records`;
  const record = new TraitsView();
  for (let at = 0; at < view.byteLength; at += TRAITS_BYTES) {
    const { fields, traits } = record.open(view, at);
    if ((fields & ~TRAIT_FIELDS_ALL) !== 0) return `traits have no fields ${fields & ~TRAIT_FIELDS_ALL}`;
    if (traits.phase > NODE_PHASE.remote) return `there is no phase ${traits.phase}`;
    for (const name of TRAIT_NAMES) if (!Number.isFinite(traits[name])) return `${name} is ${traits[name]}`;
  }
  return undefined;
}

/** The fields of the mask alone. */
export function storedFields(traits: Readonly<NodeTraits>, fields: number): Partial<NodeTraits> {
  const chosen: Partial<NodeTraits> = {};
  for (const name of TRAIT_NAMES) if ((fields & TRAIT_FIELD[name]) !== 0) chosen[name] = traits[name];
  return chosen;
}
