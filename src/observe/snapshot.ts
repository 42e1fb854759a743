/**
 * All metrics at one moment, from shared memory: what the collectors summed up (at most a second old), what
 * each thread has of its own, and what the spaces, the streams and the process say of themselves. Any thread
 * may take one; it waits for nobody.
 */
import type { SpaceTable } from "../engine/space-table.ts";
import { type Family, FamilySet } from "./family.ts";
import { addLaneFamilies, type ThreadLane } from "./lane-families.ts";
import { laneCells, type MetricRegion, nodeCells } from "./metric-region.ts";
import { type ProcessSource, sampleProcess } from "./sample-process.ts";
import { sampleSpaces } from "./sample-spaces.ts";

/** Where a thread's lane lies. */
export type LanePlace = { readonly thread: string; readonly region: number; readonly lane: number };

/** The regions of all nodes and the lanes of all threads; plain, to be handed to threads. */
export type MetricMemory = {
  readonly regions: readonly MetricRegion[];
  readonly lanes: readonly LanePlace[];
};

export type SnapshotSource = ProcessSource & { readonly memory: MetricMemory; readonly table: SpaceTable };

export class Snapshots {
  readonly #source: SnapshotSource;
  readonly #blocks: readonly Float64Array[];
  readonly #lanes: readonly ThreadLane[];

  constructor(source: SnapshotSource) {
    const { regions, lanes } = source.memory;
    this.#source = source;
    this.#blocks = regions.map(nodeCells);
    this.#lanes = lanes.map(({ thread, region, lane }) => ({
      thread,
      cells: laneCells(regions[region]!, lane),
    }));
  }

  take(): Family[] {
    const set = new FamilySet();
    addLaneFamilies(set, this.#blocks, this.#lanes);
    sampleSpaces(set, this.#source.table);
    sampleProcess(set, this.#source);
    return set.families();
  }
}
