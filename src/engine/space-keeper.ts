/**
 * The spaces of one home writer: claims, creates, deletes and finds them, and applies the log to them.
 *
 * Service and recovery go through the same `apply`, so what a restart rebuilds is what was there.
 */
import { assert } from "../base/assert.ts";
import { OperatorError } from "../base/errors.ts";
import { LOG_KIND } from "../layout/log-payload.ts";
import { SPACE_STATE } from "../layout/space-root.ts";
import { WRITE_OUTCOME } from "../layout/write-message.ts";
import type { Epochs } from "../shm/epochs.ts";
import { Compaction } from "./compaction.ts";
import type { SpaceCut, StreamCut } from "./home-writer.ts";
import { LogApplier } from "./log-applier.ts";
import type { GraphShape } from "./space-graph.ts";
import type { SpaceTable } from "./space-table.ts";
import { type SpaceDescription, type SpaceOptions, SpaceWriter } from "./space-writer.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** What a create-space request carries, and with the id what the log records. */
export type SpacePlan = Omit<SpaceDescription, "spaceId">;

/** What of a space can be changed once it is there, as a describe-space record says it. */
export type SpaceChange = Pick<SpaceDescription, "forgetting">;

/** Below this, what a compaction gives back (some 35 MB at 768 dimensions) is not worth its work. */
const COMPACT_FORGOTTEN_MIN = 8192;

export class SpaceKeeper {
  readonly table: SpaceTable;
  readonly #writer: number;
  readonly #writerCount: number;
  readonly #options: SpaceOptions;
  readonly #epochs: Epochs;
  readonly #spaces = new Map<number, SpaceWriter>();
  readonly #byId = new Map<number, SpaceWriter>();
  #retired: { space: SpaceWriter; epoch: number }[] = [];
  readonly #orphans = new Set<number>();
  /** images in place of compacted ones, by table index and generation of the old one */
  readonly #successors = new Map<string, SpaceWriter>();
  #compaction: Compaction | undefined;
  readonly #compactForgottenMin: number;
  #compactAfter = 0;
  #nextOrdinal = 1;
  /** applies the log's records to spaces */
  readonly applier = new LogApplier();

  constructor(options: {
    table: SpaceTable;
    writerCount: number;
    space: SpaceOptions;
    epochs: Epochs;
    /** forgotten memories from which a space is worth compacting */
    compactForgottenMin?: number;
  }) {
    this.#compactForgottenMin = options.compactForgottenMin ?? COMPACT_FORGOTTEN_MIN;
    this.table = options.table;
    this.#writer = options.space.writer;
    this.#writerCount = options.writerCount;
    this.#options = options.space;
    this.#epochs = options.epochs;
  }

  get spaces(): Iterable<SpaceWriter> {
    return this.#byId.values();
  }

  byId(spaceId: number): SpaceWriter | undefined {
    return this.#byId.get(spaceId);
  }

  /** The space at a table index, if it is still the one the caller meant. */
  at(spaceIndex: number, generation: number): SpaceWriter | undefined {
    const space = this.#spaces.get(spaceIndex);
    if (space !== undefined && space.root.load("generation") === generation) return space;
    // Requests that were under way when the space was compacted still name its old image.
    return this.#successors.get(`${spaceIndex}/${generation}`);
  }

  /** The space that a delete payload names. Payloads may lie in shared memory, which decoders refuse. */
  named(payload: Uint8Array): SpaceWriter | undefined {
    const name = (JSON.parse(decoder.decode(payload.slice())) as { name: string }).name;
    for (const space of this.#byId.values()) if (space.description.name === name) return space;
    return undefined;
  }

  /** The description and log payload for a new space, or the outcome that refuses it. */
  planSpace(request: Uint8Array): { description: SpaceDescription; payload: Uint8Array } | number {
    const plan = JSON.parse(decoder.decode(request.slice())) as SpacePlan;
    for (const space of this.#byId.values()) {
      if (space.description.name === plan.name) return WRITE_OUTCOME.spaceExists;
    }
    if (this.#freeRoot() === undefined) return WRITE_OUTCOME.spaceLimit;
    const description = { ...plan, spaceId: this.#nextOrdinal * this.#writerCount + this.#writer };
    return { description, payload: encoder.encode(JSON.stringify(description)) };
  }

  /** Makes an empty space and shows it to readers. */
  create(description: SpaceDescription, sequence: number): SpaceWriter {
    const space = this.claim(description);
    space.root.setNumber("lastSequence", sequence);
    space.open();
    return space;
  }

  /**
   * Makes an empty space that readers do not see yet, for recovery to fill.
   * @param graph how its graph was built, where a checkpoint says so; as in the settings otherwise
   */
  claim(description: SpaceDescription, graph?: GraphShape, image?: number): SpaceWriter {
    const root = this.#freeRoot();
    assert(root !== undefined, "the space table has a free block for every space");
    const space = new SpaceWriter(root, description, { ...this.#options, ...graph, image });
    this.#spaces.set(root.spaceIndex, space);
    this.#byId.set(description.spaceId, space);
    const ordinal = Math.floor(description.spaceId / this.#writerCount);
    this.#nextOrdinal = Math.max(this.#nextOrdinal, ordinal + 1);
    return space;
  }

  /** Applies a describe-space payload, which may lie in shared memory. */
  describe(space: SpaceWriter, payload: Uint8Array, sequence: number): void {
    space.describe(JSON.parse(decoder.decode(payload.slice())) as SpaceChange, sequence);
    // A compaction under way copies into an image that was described before.
    if (this.#compaction?.from === space) {
      this.#compaction.to.describe(space.description, sequence);
    }
  }

  /** Hides a space from readers; its memory is given back once the last of them has left it. */
  delete(space: SpaceWriter): void {
    if (this.#compaction?.from === space) this.#abandonCompaction();
    for (const [key, successor] of this.#successors) if (successor === space) this.#successors.delete(key);
    space.close();
    this.#spaces.delete(space.root.spaceIndex);
    this.#byId.delete(space.description.spaceId);
    this.#retired.push({ space, epoch: this.#epochs.advance() });
  }

  /**
   * Does a part of a compaction, and starts one where a space holds more forgotten memories than live ones.
   *
   * @param slots most to copy now, some 10 µs each
   * @returns whether anything was done
   */
  compact(slots: number): boolean {
    try {
      this.#compaction ??= this.#startCompaction();
      if (this.#compaction === undefined) return false;
      const compaction = this.#compaction;
      // The graph being built for the old image is the one that was asked for.
      if (isRebuilding(compaction.from)) {
        this.#abandonCompaction();
        return false;
      }
      const copied = compaction.advance(slots);
      if (copied > 0 || !compaction.isReady) return copied > 0;
      this.#replace(compaction);
      return true;
    } catch (error) {
      if (!(error instanceof OperatorError) || error.code !== "memory-refused") throw error;
      // There has to be room for both images for a while; without it the old one simply goes on.
      if (this.#compaction !== undefined) this.#abandonCompaction();
      this.#compactAfter = this.#writeCount() * 1.1;
      return false;
    }
  }

  /** Memories ever stored in all spaces: what a put-off compaction waits by. */
  #writeCount(): number {
    let count = 0;
    for (const space of this.#byId.values()) count += space.nodeCount;
    return count;
  }

  #crowded(): SpaceWriter | undefined {
    for (const space of this.#byId.values()) {
      const forgotten = space.root.load("forgottenCount");
      if (forgotten < this.#compactForgottenMin || forgotten <= space.root.load("liveCount")) continue;
      if (!isRebuilding(space)) return space;
    }
    return undefined;
  }

  #startCompaction(): Compaction | undefined {
    const from = this.#crowded();
    if (from === undefined) return undefined;
    if (this.#compactAfter > 0 && this.#writeCount() < this.#compactAfter) return undefined;
    const root = this.#freeRoot();
    // A full table puts it off: each image needs a block of its own.
    if (root === undefined) return undefined;
    const to = new SpaceWriter(root, from.description, {
      ...this.#options,
      M: from.root.load("graphM"),
      efConstruction: from.root.load("graphEfConstruction"),
      image: from.image + 1,
    });
    return new Compaction(from, to);
  }

  /** The compacted image takes the old one's place: it opens first, so that readers always find one. */
  #replace(compaction: Compaction): void {
    const { from, to, end } = compaction;
    end();
    compaction.handOver();
    this.#compaction = undefined;
    to.open();
    const key = `${from.root.spaceIndex}/${from.root.load("generation")}`;
    for (const [old, successor] of this.#successors) if (successor === from) this.#successors.set(old, to);
    this.#successors.set(key, to);
    this.#spaces.delete(from.root.spaceIndex);
    this.#spaces.set(to.root.spaceIndex, to);
    this.#byId.set(to.description.spaceId, to);
    from.close();
    this.#retired.push({ space: from, epoch: this.#epochs.advance() });
  }

  #abandonCompaction(): void {
    const { to, end } = this.#compaction!;
    end();
    this.#compaction = undefined;
    to.close();
    this.#retired.push({ space: to, epoch: this.#epochs.advance() });
  }

  /** Frees deleted spaces that nobody reads any more, and whatever else was retired. */
  collectRetired(): void {
    this.#epochs.collect();
    for (const space of this.#byId.values()) space.mind.bindings.collect(this.#epochs);
    if (this.#retired.length === 0) return;
    this.#retired = this.#retired.filter(({ space, epoch }) => {
      if (!this.#epochs.isPast(epoch)) return true;
      space.free();
      return false;
    });
  }

  /** What every space holds now. */
  cut(sequence: number): StreamCut {
    const spaces: SpaceCut[] = [];
    for (const space of this.#byId.values()) {
      spaces.push({
        spaceIndex: space.root.spaceIndex,
        spaceId: space.description.spaceId,
        nodeCount: space.nodeCount,
        termCount: space.termCount,
        contentBytes: space.arenas.content.usedBytes,
        forwardBytes: space.arenas.forward.usedBytes,
      });
    }
    return { sequence, spaces };
  }

  /** Applies one record of the log, as recovery replays it. */
  apply(kind: number, spaceId: number, sequence: number, payload: Uint8Array): void {
    if (kind === LOG_KIND.createSpace) {
      this.create(JSON.parse(decoder.decode(payload)) as SpaceDescription, sequence);
      return;
    }
    const space = this.#byId.get(spaceId);
    if (space === undefined) {
      // A space that was deleted while a checkpoint was under way is missing from it, though the log behind
      // the cut still speaks of it, up to its deletion.
      if (kind === LOG_KIND.deleteSpace) this.#orphans.delete(spaceId);
      else this.#orphans.add(spaceId);
      return;
    }
    if (kind === LOG_KIND.deleteSpace) this.delete(space);
    else if (kind === LOG_KIND.describeSpace) this.describe(space, payload, sequence);
    else this.applier.apply(space, kind, payload, sequence);
  }

  /** To be called when the whole log was applied. @throws {BugError} when records belong to no space */
  finishReplay(): void {
    assert(
      this.#orphans.size === 0,
      `every record of the log belongs to a space (${[...this.#orphans].join()})`,
    );
    for (const space of this.#byId.values()) space.mind.finishReplay();
  }

  #freeRoot() {
    for (let i = this.#writer; i < this.table.roots.length; i += this.#writerCount) {
      const root = this.table.roots[i]!;
      if (root.load("state") === SPACE_STATE.free) return root;
    }
    return undefined;
  }
}

function isRebuilding({ root }: SpaceWriter): boolean {
  return root.load("rebuildRequested") !== root.load("rebuildDone");
}

export function encodeSpacePlan(plan: SpacePlan): Uint8Array {
  return encoder.encode(JSON.stringify(plan));
}

export function encodeSpaceChange(change: SpaceChange): Uint8Array {
  return encoder.encode(JSON.stringify(change));
}

export function encodeSpaceName(name: string): Uint8Array {
  return encoder.encode(JSON.stringify({ name }));
}
