/**
 * The spaces of one home writer: claims, creates, deletes and finds them, and applies the log to them.
 *
 * Service and recovery go through the same `apply`, so what a restart rebuilds is what was there.
 */
import { assert } from "../base/assert.ts";
import { analyse } from "../language/analyse.ts";
import { TermBuffer } from "../language/term-buffer.ts";
import { FORGET_HEAD_BYTES, LOG_KIND } from "../layout/log-payload.ts";
import { SPACE_STATE } from "../layout/space-root.ts";
import { WRITE_OUTCOME } from "../layout/write-message.ts";
import type { Epochs } from "../shm/epochs.ts";
import type { SpaceCut, StreamCut } from "./home-writer.ts";
import type { GraphShape } from "./space-graph.ts";
import type { SpaceTable } from "./space-table.ts";
import { type SpaceDescription, type SpaceOptions, SpaceWriter } from "./space-writer.ts";
import { RememberView } from "./write-codec.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** What a create-space request carries, and with the id what the log records. */
export type SpacePlan = Omit<SpaceDescription, "spaceId">;

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
  #nextOrdinal = 1;
  readonly #memory = new RememberView();
  readonly #terms = new TermBuffer();

  constructor(options: {
    table: SpaceTable;
    writerCount: number;
    space: SpaceOptions;
    epochs: Epochs;
  }) {
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
    return space !== undefined && space.root.load("generation") === generation ? space : undefined;
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
  claim(description: SpaceDescription, graph?: GraphShape): SpaceWriter {
    const root = this.#freeRoot();
    assert(root !== undefined, "the space table has a free block for every space");
    const space = new SpaceWriter(root, description, { ...this.#options, ...graph });
    this.#spaces.set(root.spaceIndex, space);
    this.#byId.set(description.spaceId, space);
    const ordinal = Math.floor(description.spaceId / this.#writerCount);
    this.#nextOrdinal = Math.max(this.#nextOrdinal, ordinal + 1);
    return space;
  }

  /** Hides a space from readers; its memory is given back once the last of them has left it. */
  delete(space: SpaceWriter): void {
    space.close();
    this.#spaces.delete(space.root.spaceIndex);
    this.#byId.delete(space.description.spaceId);
    this.#retired.push({ space, epoch: this.#epochs.advance() });
  }

  /** Frees deleted spaces that nobody reads any more, and whatever else was retired. */
  collectRetired(): void {
    this.#epochs.collect();
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
    switch (kind) {
      case LOG_KIND.remember: {
        const memory = this.#memory.open(payload);
        const content = decoder.decode(
          payload.subarray(memory.contentAt, memory.contentAt + memory.contentBytes),
        );
        analyse(content, space.description.language, this.#terms);
        space.remember(memory, this.#terms, this.#terms.tokenCount, sequence);
        break;
      }
      case LOG_KIND.forget:
        space.forget(payload, FORGET_HEAD_BYTES, sequence);
        break;
      case LOG_KIND.deleteSpace:
        this.delete(space);
        break;
      default:
        assert(false, `the log holds no records of kind ${kind}`);
    }
  }

  /** To be called when the whole log was applied. @throws {BugError} when records belong to no space */
  finishReplay(): void {
    assert(
      this.#orphans.size === 0,
      `every record of the log belongs to a space (${[...this.#orphans].join()})`,
    );
  }

  #freeRoot() {
    for (let i = this.#writer; i < this.table.roots.length; i += this.#writerCount) {
      const root = this.table.roots[i]!;
      if (root.load("state") === SPACE_STATE.free) return root;
    }
    return undefined;
  }
}

export function encodeSpacePlan(plan: SpacePlan): Uint8Array {
  return encoder.encode(JSON.stringify(plan));
}

export function encodeSpaceName(name: string): Uint8Array {
  return encoder.encode(JSON.stringify({ name }));
}
