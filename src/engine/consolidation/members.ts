/** Which memories a concept has, and which concept a memory belongs to: read from their bindings. Inside an epoch. */
import { BINDING_KIND } from "../../layout/binding.ts";
import { BindingList } from "../mind/binding-reader.ts";
import type { SpaceReader } from "../space-reader.ts";

export type Membership = { readonly concept: number; readonly likeness: number };

const list = new BindingList();

/** Slots of a concept's members, in the order they are bound in, appended to `into`. */
export function membersOf(reader: SpaceReader, concept: number, nodeCount: number, into: number[]): number[] {
  reader.bindings.read(concept, nodeCount, list);
  for (let i = 0; i < list.count; i++) {
    if (list.kinds[i] === BINDING_KIND.member && list.reversed[i] === 0) into.push(list.targets[i]!);
  }
  return into;
}

/** The concept that a memory is most like among those it belongs to; undefined where it belongs to none. */
export function membershipOf(reader: SpaceReader, slot: number, nodeCount: number): Membership | undefined {
  if (reader.bindings.fanOut(slot) === 0) return undefined;
  reader.bindings.read(slot, nodeCount, list);
  let concept = -1;
  let likeness = 0;
  for (let i = 0; i < list.count; i++) {
    if (list.kinds[i] !== BINDING_KIND.member || list.reversed[i] !== 1) continue;
    if (concept >= 0 && list.strengths[i]! <= likeness) continue;
    concept = list.targets[i]!;
    likeness = list.strengths[i]!;
  }
  return concept < 0 ? undefined : { concept, likeness };
}

/** Members of a concept, those most like it first, `count` at most. */
export function likeMembers(
  reader: SpaceReader,
  concept: number,
  nodeCount: number,
  count: number,
): { readonly slot: number; readonly likeness: number }[] {
  reader.bindings.read(concept, nodeCount, list);
  const members: { slot: number; likeness: number }[] = [];
  for (let i = 0; i < list.count && count > 0; i++) {
    if (list.kinds[i] !== BINDING_KIND.member || list.reversed[i] !== 0) continue;
    const slot = list.targets[i]!;
    const likeness = list.strengths[i]!;
    // A concept may have hundreds of members, and a recall cites three: most are passed over here.
    if (members.length === count && !comesBefore(slot, likeness, members.at(-1)!)) continue;
    let at = members.length === count ? count - 1 : members.length;
    for (; at > 0 && comesBefore(slot, likeness, members[at - 1]!); at--) members[at] = members[at - 1]!;
    members[at] = { slot, likeness };
  }
  return members;
}

function comesBefore(slot: number, likeness: number, other: { slot: number; likeness: number }): boolean {
  return likeness > other.likeness || (likeness === other.likeness && slot < other.slot);
}
