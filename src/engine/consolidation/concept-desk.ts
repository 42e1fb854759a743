/**
 * Concepts and consolidation as one API worker sees them: concepts straight from shared memory, runs through the
 * board that the background thread looks at.
 */
import { RequestError } from "../../base/errors.ts";
import type { Bm25Settings } from "../../index/word-index-reader.ts";
import { ScoreAccumulator } from "../../index/word-index-reader.ts";
import { NODE_KIND } from "../../layout/node-header.ts";
import type { EpochReader } from "../../shm/epochs.ts";
import { type NodeTraits, TRAITS_AT_BIRTH } from "../mind/traits-record.ts";
import { mustBeReady, type Readiness } from "../readiness.ts";
import { cursorOf, slotOfCursor } from "../slot-cursor.ts";
import { existingSpace } from "../space-directory.ts";
import { SpaceReader } from "../space-reader.ts";
import type { SpaceTable } from "../space-table.ts";
import { type ConsolidationBoard, type ConsolidationRun, hasEnded } from "./consolidation-board.ts";
import { likeMembers } from "./members.ts";

export type ConceptMember = { readonly id: string; readonly likeness: number };

/** A concept, with the memories that it cites. */
export type Concept = {
  readonly id: string;
  readonly gist: string;
  /** a JSON object, serialised: its most telling `terms` */
  readonly detailsJson: string | undefined;
  readonly coherence: number;
  readonly memberCount: number;
  /** those most like it first, as many as were asked for */
  readonly members: readonly ConceptMember[];
  readonly confidence: number;
  readonly importance: number;
  /** of its newest member, ms since the epoch */
  readonly timestampMs: number;
  /** when it became what it is now */
  readonly storedAtMs: number;
};

export type ConceptPage = { readonly concepts: readonly Concept[]; readonly nextCursor: string | undefined };

export interface ConceptDesk {
  /**
   * Asks for a run of consolidation, and waits for its end as long as it may.
   * @throws {RequestError} `space-not-found`, `overloaded`
   */
  consolidate(
    space: string,
    options: { readonly cyclesMax: number; readonly waitMs: number },
  ): Promise<ConsolidationRun>;
  /** The last runs, the newest first. */
  runs(): ConsolidationRun[];
  /** In the order in which they became what they are. @throws {RequestError} `space-not-found` */
  concepts(
    space: string,
    options: { readonly cursor?: string | undefined; readonly limit: number; readonly members: number },
  ): ConceptPage;
}

const POLL_MS = 10;

export class SharedConceptDesk implements ConceptDesk {
  readonly #options: {
    readonly table: SpaceTable;
    readonly epoch: EpochReader;
    readonly board: ConsolidationBoard;
    readonly bm25: Bm25Settings;
    readonly readiness: () => Readiness;
    /** ms since the epoch */
    readonly wallClock: () => number;
  };
  readonly #accumulator = new ScoreAccumulator();
  readonly #readers = new Map<number, SpaceReader>();

  constructor(options: {
    table: SpaceTable;
    epoch: EpochReader;
    board: ConsolidationBoard;
    bm25: Bm25Settings;
    readiness: () => Readiness;
    wallClock: () => number;
  }) {
    this.#options = options;
  }

  async consolidate(
    space: string,
    { cyclesMax, waitMs }: { readonly cyclesMax: number; readonly waitMs: number },
  ): Promise<ConsolidationRun> {
    const { table, board, readiness, wallClock } = this.#options;
    mustBeReady(readiness());
    const root = existingSpace(table, space);
    const requestedAtMs = wallClock();
    const id = board.claim({
      space,
      spaceIndex: root.spaceIndex,
      spaceGeneration: root.load("generation"),
      isRequested: true,
      cyclesMax,
      requestedAtMs,
    });
    const asked = id === undefined ? undefined : board.run(id);
    if (asked === undefined) {
      throw new RequestError({
        code: "overloaded",
        message: "As many consolidations wait as the board has room for",
        retryAfterSeconds: 1,
      });
    }
    let run = asked;
    // The state is what is stored last: whoever sees it sees the figures.
    while (!hasEnded(run) && wallClock() - requestedAtMs < waitMs) {
      await Bun.sleep(POLL_MS);
      run = board.run(run.id) ?? run;
    }
    return run;
  }

  runs(): ConsolidationRun[] {
    mustBeReady(this.#options.readiness());
    return this.#options.board.runs();
  }

  concepts(
    space: string,
    {
      cursor,
      limit,
      members,
    }: { readonly cursor?: string | undefined; readonly limit: number; readonly members: number },
  ): ConceptPage {
    const { table, epoch, readiness } = this.#options;
    mustBeReady(readiness());
    const root = existingSpace(table, space);
    return epoch.inside(() => {
      const reader = this.#reader(root.spaceIndex);
      const { generation } = reader;
      const nodeCount = root.load("nodeCount");
      const isConcept = (slot: number): boolean =>
        reader.kind(slot) === NODE_KIND.concept && reader.isLive(slot);
      let slot = cursor === undefined ? 0 : slotOfCursor(cursor, generation);
      const concepts: Concept[] = [];
      for (; slot < nodeCount && concepts.length < limit; slot++) {
        if (isConcept(slot)) concepts.push(readConcept(reader, slot, nodeCount, members));
      }
      while (slot < nodeCount && !isConcept(slot)) slot++;
      return { concepts, nextCursor: slot < nodeCount ? cursorOf(slot, generation) : undefined };
    });
  }

  #reader(spaceIndex: number): SpaceReader {
    const known = this.#readers.get(spaceIndex);
    if (known?.isCurrent) return known;
    const { table, bm25 } = this.#options;
    const reader = new SpaceReader(table.roots[spaceIndex]!, bm25, this.#accumulator);
    this.#readers.set(spaceIndex, reader);
    return reader;
  }
}

/** Reads a concept. Inside an epoch. @param membersMax members cited */
export function readConcept(
  reader: SpaceReader,
  slot: number,
  nodeCount: number,
  membersMax: number,
): Concept {
  const { content, ...memory } = reader.memory(slot);
  const traits = reader.traits(slot, scratch);
  const { coherence, memberCount, importance } = traits;
  const members = likeMembers(reader, slot, nodeCount, membersMax).map((member) => ({
    id: reader.id(member.slot),
    likeness: member.likeness,
  }));
  return {
    id: memory.id,
    gist: content,
    detailsJson: memory.detailsJson,
    coherence,
    memberCount,
    members,
    confidence: memory.confidence,
    importance,
    timestampMs: memory.timestampMs,
    storedAtMs: memory.storedAtMs,
  };
}

const scratch: NodeTraits = { ...TRAITS_AT_BIRTH };
