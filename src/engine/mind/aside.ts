/**
 * What recovery keeps aside: traits and bindings of nodes that are not there yet.
 *
 * A checkpoint copies the mind while its writer goes on, so it may speak of nodes that were stored, or replaced, only
 * behind its cut; and the log behind the cut may speak of nodes that the checkpoint knows as forgotten already. Both
 * come right when the log makes the node: what was kept aside is then given to it, and what the log says later
 * counts over it. A node that the log forgets takes everything that was kept for it along.
 */
import type { Hash64 } from "../../base/hash64.ts";
import type { BindRecord } from "./bind-record.ts";
import { type NodeTraits, storedFields, TRAITS_AT_BIRTH } from "./traits-record.ts";

export class MindAside {
  readonly #traits = new Map<string, { traits: NodeTraits; fields: number }>();
  /** by each end, and there by binding */
  readonly #bindings = new Map<string, Map<string, BindRecord>>();

  /** Keeps the fields of the mask for a node. */
  keepTraits(node: Hash64, traits: Readonly<NodeTraits>, fields: number): void {
    const key = keyOf(node);
    const kept = this.#traits.get(key) ?? { traits: { ...TRAITS_AT_BIRTH }, fields: 0 };
    Object.assign(kept.traits, storedFields(traits, fields));
    kept.fields |= fields;
    this.#traits.set(key, kept);
  }

  /** Keeps a binding for the ends that are not there; one of strength 0 is kept no longer. */
  keepBinding(binding: BindRecord): void {
    if (binding.strength <= 0) this.#drop(binding);
    else {
      for (const end of [binding.source, binding.destination]) {
        const key = keyOf(end);
        const kept = this.#bindings.get(key) ?? new Map<string, BindRecord>();
        kept.set(bindingKeyOf(binding), binding);
        this.#bindings.set(key, kept);
      }
    }
  }

  /** The log has forgotten the node. */
  forget(node: Hash64): void {
    const key = keyOf(node);
    this.#traits.delete(key);
    for (const binding of [...(this.#bindings.get(key)?.values() ?? [])]) this.#drop(binding);
  }

  /** What was kept for a node that is there now; kept no longer, except for bindings whose other end is missing. */
  claim(
    node: Hash64,
    isThere: (node: Hash64) => boolean,
  ): { traits: NodeTraits; fields: number; bindings: BindRecord[] } {
    const key = keyOf(node);
    const kept = this.#traits.get(key) ?? { traits: { ...TRAITS_AT_BIRTH }, fields: 0 };
    this.#traits.delete(key);
    const bindings = [...(this.#bindings.get(key)?.values() ?? [])].filter(
      ({ source, destination }) => isThere(source) && isThere(destination),
    );
    for (const binding of bindings) this.#drop(binding);
    return { ...kept, bindings };
  }

  #drop(binding: BindRecord): void {
    for (const end of [binding.source, binding.destination]) {
      const key = keyOf(end);
      const kept = this.#bindings.get(key);
      kept?.delete(bindingKeyOf(binding));
      if (kept?.size === 0) this.#bindings.delete(key);
    }
  }
}

/** A node's hash as a key of maps. */
export function keyOf({ low, high }: Hash64): string {
  return `${low}/${high}`;
}

/** A binding as a key of maps: its ends, in order, and its kind. */
export function bindingKeyOf({
  source,
  destination,
  kind,
}: Pick<BindRecord, "source" | "destination" | "kind">): string {
  return `${keyOf(source)}>${keyOf(destination)}:${kind}`;
}
