/** Call stacks as a tree: who called whom, and how long it took, itself and with what it called. Pure functions. */
import type { Frame, Stacks } from "./data.ts";

export type FlameNode = {
  readonly frame: Frame;
  readonly parent: FlameNode | undefined;
  /** with what it called */
  ms: number;
  /** in itself */
  selfMs: number;
  /** the heaviest first */
  children: FlameNode[];
};

/** @param threads names of those that count; all where undefined */
export function flameTree({ frames, threads }: Stacks, wanted?: string): FlameNode {
  const root = node({ name: wanted ?? "all threads", at: "", kind: "native" }, undefined);
  const byKey = new Map<string, FlameNode>();
  const ids = new Map<FlameNode, number>([[root, 0]]);
  const child = (parent: FlameNode, key: string, frame: Frame): FlameNode => {
    const fullKey = `${ids.get(parent)}/${key}`;
    const known = byKey.get(fullKey);
    if (known !== undefined) return known;
    const made = node(frame, parent);
    byKey.set(fullKey, made);
    ids.set(made, ids.size);
    parent.children.push(made);
    return made;
  };
  for (const { name, stacks } of threads) {
    if (wanted !== undefined && name !== wanted) continue;
    // Threads of all stand beside each other, so that none is mistaken for another.
    const start =
      wanted === undefined ? child(root, `thread ${name}`, { name, at: "", kind: "native" }) : root;
    for (const { frames: stack, ms } of stacks) {
      let at = start;
      if (at !== root) root.ms += ms;
      at.ms += ms;
      for (const place of stack) {
        at = child(at, String(place), frames[place]!);
        at.ms += ms;
      }
      at.selfMs += ms;
    }
  }
  sortChildren(root);
  return root;
}

/** Whether a text stands in a frame's name or place; case counts for nothing. */
export function isFound({ frame }: FlameNode, text: string): boolean {
  const wanted = text.toLowerCase();
  return (
    wanted !== "" && (frame.name.toLowerCase().includes(wanted) || frame.at.toLowerCase().includes(wanted))
  );
}

/** ms in frames that are found, each counted once where one is called by another. */
export function foundMs(at: FlameNode, text: string): number {
  if (isFound(at, text)) return at.ms;
  return at.children.reduce((sum, each) => sum + foundMs(each, text), 0);
}

function node(frame: Frame, parent: FlameNode | undefined): FlameNode {
  return { frame, parent, ms: 0, selfMs: 0, children: [] };
}

function sortChildren(at: FlameNode): void {
  at.children.sort((a, b) => b.ms - a.ms);
  for (const each of at.children) sortChildren(each);
}
