/**
 * The memories that one cycle replays: the next ones that came in, in the order of storing, and some older ones that
 * are consolidating still, those first that claim it most (`replayPriority`). Read inside an epoch.
 *
 * How far the new ones were looked at is the walk's progress, which the log keeps. Where the older ones were left off
 * is not: after a restart they are gone over from the beginning.
 */
import type { Hash64 } from "../../base/hash64.ts";
import {
  interleave,
  type LearningRates,
  type PhaseCode,
  replayPriority,
} from "../../cognition/complementary-learning.ts";
import { NODE_KIND, NODE_PHASE } from "../../layout/node-header.ts";
import { sequenceOf } from "../mind/node-traits.ts";
import { type NodeTraits, TRAITS_AT_BIRTH } from "../mind/traits-record.ts";
import type { SpaceReader } from "../space-reader.ts";
import { membershipOf } from "./members.ts";

/** A memory that is replayed. */
export type Replay = {
  readonly slot: number;
  /** not walked over yet */
  readonly isFresh: boolean;
  readonly node: Hash64;
  readonly phase: PhaseCode;
  readonly ageHours: number;
  /** slot of the concept it belongs to; -1 while it belongs to none */
  readonly concept: number;
  /** to that concept's centroid */
  readonly likeness: number;
};

export type ReplayBatch = {
  readonly replays: readonly Replay[];
  /** slots of the walk that this batch goes over, of which forgotten ones and concepts are not replayed */
  readonly walked: number;
  /** sequence number of the last of them; undefined where there are none */
  readonly lastSequence: number | undefined;
  /** where the older ones go on */
  readonly oldNext: number;
};

export type BatchBounds = {
  readonly freshMax: number;
  readonly oldMax: number;
  /** slot at which the older ones go on */
  readonly oldFrom: number;
  readonly nowMs: number;
  readonly rates: LearningRates;
};

const HOUR_MS = 3_600_000;
/** Older slots looked at for one batch: headers, at some 20 ns each. */
const OLD_WINDOW = 4096;
/** New memories between two old ones. */
const INTERLEAVE_EVERY = 2;

const traits: NodeTraits = { ...TRAITS_AT_BIRTH };

export function gatherReplays(reader: SpaceReader, nodeCount: number, bounds: BatchBounds): ReplayBatch {
  const walkedBelow = Math.min(reader.root.load("consolidatedCount"), nodeCount);
  const fresh: Replay[] = [];
  let slot = walkedBelow;
  for (; slot < nodeCount && fresh.length < bounds.freshMax; slot++) {
    if (isReplayable(reader, slot))
      fresh.push({ ...replayOf(reader, slot, nodeCount, bounds.nowMs), isFresh: true });
  }
  const { old, oldNext } = gatherOld(reader, walkedBelow, nodeCount, bounds);
  return {
    replays: interleave(fresh, old, INTERLEAVE_EVERY),
    walked: slot - walkedBelow,
    lastSequence: slot > walkedBelow ? sequenceOf(reader.headers, slot - 1) : undefined,
    oldNext,
  };
}

/** Whether the slot holds a memory that can be compared; what waits for its embedding comes again with it. */
export function isReplayable(reader: SpaceReader, slot: number): boolean {
  return reader.kind(slot) !== NODE_KIND.concept && reader.isLive(slot) && !reader.isPending(slot);
}

export function replayOf(reader: SpaceReader, slot: number, nodeCount: number, nowMs: number): Replay {
  const membership = membershipOf(reader, slot, nodeCount);
  return {
    slot,
    isFresh: false,
    node: reader.nodeAt(slot),
    phase: reader.traits(slot, traits).phase as PhaseCode,
    ageHours: (nowMs - reader.timestampMs(slot)) / HOUR_MS,
    concept: membership?.concept ?? -1,
    likeness: membership?.likeness ?? 0,
  };
}

function gatherOld(
  reader: SpaceReader,
  below: number,
  nodeCount: number,
  { oldMax, oldFrom, nowMs, rates }: BatchBounds,
): { old: Replay[]; oldNext: number } {
  const from = oldFrom < below ? oldFrom : 0;
  const to = Math.min(below, from + OLD_WINDOW);
  const claims: { slot: number; priority: number }[] = [];
  for (let slot = from; slot < to; slot++) {
    if (!isReplayable(reader, slot)) continue;
    const { phase, importance, useCount } = reader.traits(slot, traits);
    if (phase !== NODE_PHASE.consolidating) continue;
    const ageHours = (nowMs - reader.timestampMs(slot)) / HOUR_MS;
    claims.push({ slot, priority: replayPriority({ ageHours, importance, useCount }, rates) });
  }
  claims.sort((a, b) => b.priority - a.priority || a.slot - b.slot);
  const old = claims.slice(0, oldMax).map(({ slot }) => replayOf(reader, slot, nodeCount, nowMs));
  return { old, oldNext: to >= below ? 0 : to };
}
