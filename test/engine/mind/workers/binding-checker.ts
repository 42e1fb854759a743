/** Reads the bindings of random nodes until it is told to stop, and counts those that were never made so. */
import { Random } from "../../../../src/base/random.ts";
import { BindingList, BindingReader } from "../../../../src/engine/mind/binding-reader.ts";
import { spaceGeometry } from "../../../../src/engine/space-geometry.ts";
import { SpaceTable } from "../../../../src/engine/space-table.ts";
import { SlotArenaReader } from "../../../../src/shm/arena.ts";
import { EpochReader } from "../../../../src/shm/epochs.ts";

declare const self: Worker;

export type CheckerJob = {
  readonly table: SharedArrayBuffer;
  readonly epochs: SharedArrayBuffer;
  readonly readerIndex: number;
  readonly nodeCount: number;
  readonly dimensions: number;
  /** word 0: stop */
  readonly flags: SharedArrayBuffer;
};
export type CheckerReport = { readonly reads: number; readonly bindings: number; readonly wrong: number };

/** What the last use of a binding says in this test: which nodes it is between, and its kind. */
export function codeOf(one: number, other: number, kind: number): number {
  return (Math.min(one, other) * 1000 + Math.max(one, other)) * 8 + kind;
}

self.onmessage = ({ data }: MessageEvent<CheckerJob>) => {
  const { nodeCount } = data;
  const root = new SpaceTable(data.table).find("test")!;
  const { headers: geometry } = spaceGeometry(data.dimensions, "bf16");
  const headers = new SlotArenaReader({ ...geometry, tableAddress: root.number("headerTable") });
  const reader = new BindingReader(headers, root.number("bindingTable"));
  const epoch = new EpochReader(data.epochs, data.readerIndex);
  const flags = new Int32Array(data.flags);
  const random = new Random(data.readerIndex + 1);
  const list = new BindingList();
  let [reads, bindings, wrong] = [0, 0, 0];
  while (Atomics.load(flags, 0) === 0) {
    const slot = random.below(nodeCount);
    epoch.enter();
    const count = reader.read(slot, nodeCount, list);
    epoch.exit();
    const seen = new Set<number>();
    for (let i = 0; i < count; i++) {
      const code = codeOf(slot, list.targets[i]!, list.kinds[i]!);
      const isTwice = seen.has(code * 2 + list.reversed[i]!);
      if (isTwice || list.lastUsedSeconds[i] !== code || list.targets[i] === slot) wrong += 1;
      seen.add(code * 2 + list.reversed[i]!);
    }
    reads += 1;
    bindings += count;
  }
  self.postMessage({ reads, bindings, wrong } satisfies CheckerReport);
};
