/**
 * One cycle of consolidation in one space: bounded work, written down step by step.
 *
 *   gather ─▶ who joins which concept ─▶ what is left makes new ones ─▶ a step for each concept ─▶ upkeep ─▶ progress
 *
 * Each step is one compound that the home writer applies as a whole, so the space is consistent behind every one of
 * them, and a crash repeats at most the cycle: who belongs to a concept by then is not bound again. The walk's
 * progress is logged last.
 *
 * Nothing read is kept across a step but slots and hashes, and a step begins by looking whether the space is still
 * what it was: compaction gives nodes other slots, and then the rest of the cycle is left to the next one.
 */
import { phaseAfterReplay } from "../../cognition/complementary-learning.ts";
import type { ConceptProposal } from "../../cognition/concept-formation.ts";
import { NODE_PHASE } from "../../layout/node-header.ts";
import type { EpochReader } from "../../shm/epochs.ts";
import { CompoundBuilder } from "../mind/compound.ts";
import type { SpaceReader } from "../space-reader.ts";
import { ConceptDrafter } from "./concept-drafter.ts";
import type { ConceptList } from "./concept-list.ts";
import { type ConsolidationFigures, noFigures } from "./consolidation-figures.ts";
import { type ConsolidationRules, MEMBERS_MAX } from "./consolidation-rules.ts";
import type { Kinship } from "./kinship.ts";
import { membersOf } from "./members.ts";
import { gatherReplays, type Replay, type ReplayBatch, replayOf } from "./replay-batch.ts";

/** Sends a compound to the space's home writer. @returns false where the space is gone */
export type SendStep = (payload: Uint8Array) => Promise<boolean>;

/** Told of a concept and of the memories that joined it. */
export type ToldOf = (concept: string, memories: readonly string[]) => void;

export type CycleContext = {
  readonly reader: SpaceReader;
  readonly epoch: EpochReader;
  readonly concepts: ConceptList;
  readonly kinship: Kinship;
  readonly rules: ConsolidationRules;
  readonly send: SendStep;
  readonly told: ToldOf;
  /** ms since the epoch */
  readonly nowMs: number;
  /** slot at which the older memories go on */
  readonly oldFrom: number;
  /** place in the list of concepts at which upkeep goes on */
  readonly upkeepFrom: number;
};

export type CycleResult = {
  readonly figures: ConsolidationFigures;
  readonly oldNext: number;
  readonly upkeepNext: number;
  /** slots of the walk that are done now */
  readonly walked: number;
};

/** What a cycle is going to do, by slots. */
type Plan = {
  readonly batch: ReplayBatch;
  readonly cut: number;
  /** new members by concept */
  readonly joining: ReadonlyMap<number, readonly Replay[]>;
  /** members that were stored anew, by concept: their vectors may be others now */
  readonly changed: ReadonlyMap<number, readonly Replay[]>;
  readonly forming: readonly (readonly Replay[])[];
  readonly proposals: readonly ConceptProposal[];
};

/** Concepts looked after in one cycle. */
const UPKEEP_MAX = 64;
/** Two members told of in an event, and no more than this many. */
const TOLD_MAX = 64;

/** The space was deleted or got other slots: what was not done is done another time. */
class Superseded extends Error {}

export class ConceptCycle {
  readonly #context: CycleContext;
  readonly #drafter: ConceptDrafter;
  readonly #compound = new CompoundBuilder();
  readonly #figures = noFigures();
  /** slots whose phase was written with their concept */
  readonly #written = new Set<number>();

  constructor(context: CycleContext) {
    this.#context = context;
    this.#drafter = new ConceptDrafter(context.rules.rates);
  }

  /** @throws {RequestError} where the home writer refuses a step; those before it are done */
  async run(): Promise<CycleResult> {
    const { oldFrom, upkeepFrom } = this.#context;
    this.#figures.cycles = 1;
    try {
      const plan = this.#inside((nodeCount) => this.#plan(nodeCount));
      const { batch, cut } = plan;
      for (const [concept, changed] of plan.changed) await this.#revisit(concept, changed, cut);
      for (const [concept, joining] of plan.joining) await this.#grow(concept, joining);
      for (const [i, proposal] of plan.proposals.entries()) await this.#form(proposal, plan.forming[i]!);
      const upkeepNext = await this.#upkeep(cut);
      await this.#finish(plan);
      this.#figures.replayed = batch.replays.length;
      return { figures: this.#figures, oldNext: batch.oldNext, upkeepNext, walked: batch.walked };
    } catch (error) {
      if (!(error instanceof Superseded)) throw error;
      return { figures: this.#figures, oldNext: oldFrom, upkeepNext: upkeepFrom, walked: 0 };
    }
  }

  #plan(nodeCount: number): Plan {
    const { reader, concepts, kinship, rules, nowMs, oldFrom } = this.#context;
    const { freshMax, oldMax, rates, threads, formation } = rules;
    const batch = gatherReplays(reader, nodeCount, { freshMax, oldMax, oldFrom, nowMs, rates });
    concepts.refresh(reader, nodeCount);
    const cut = kinship.cut(reader, nodeCount, formation, threads);
    const unbound = batch.replays.filter(({ concept }) => concept < 0);
    const joined = kinship.conceptsOf(
      reader,
      unbound.map(({ slot }) => slot),
      concepts,
      cut,
    );
    const left = unbound.filter((_, i) => joined[i]! < 0);
    const joining = byConcept(
      unbound.flatMap((replay, i) => (joined[i]! < 0 ? [] : [{ ...replay, concept: joined[i]! }])),
    );
    const changed = byConcept(batch.replays.filter(({ isFresh, concept }) => isFresh && concept >= 0));
    const slots = left.map(({ slot }) => slot);
    const { membersMin } = formation;
    const proposals =
      slots.length < membersMin ? [] : kinship.proposals(reader, slots, { cut, membersMin, threads });
    const forming = proposals.map(({ members }) => members.map((row) => left[row]!));
    return { batch, cut, joining, changed, forming, proposals };
  }

  /** Members were stored anew: those that say something else now leave, and the concept says what is left. */
  async #revisit(concept: number, changed: readonly Replay[], cut: number): Promise<void> {
    await this.#step((nodeCount) => {
      const { reader, kinship, concepts } = this.#context;
      if (!reader.isLive(concept)) return undefined;
      const slots = changed.map(({ slot }) => slot);
      const isStranger = kinship.strangersTo(reader, concept, concepts, slots, cut);
      const leaving = changed.filter((_, i) => isStranger[i]);
      const left = new Set(leaving.map(({ slot }) => slot));
      const members = this.#membersOf(concept, nodeCount).filter(({ slot }) => !left.has(slot));
      this.#drafter.unbind(reader.nodeAt(concept), leaving, this.#compound);
      if (members.length < this.#context.rules.formation.membersMin) {
        this.#drafter.retire(reader.memory(concept).id, members, this.#compound);
        return () => {
          this.#figures.retired += 1;
        };
      }
      return this.#rewrite(concept, members, [], () => undefined);
    });
  }

  /** New members join a concept. */
  async #grow(concept: number, joining: readonly Replay[]): Promise<void> {
    await this.#step((nodeCount) => {
      const { reader } = this.#context;
      if (!reader.isLive(concept)) return undefined;
      const members = this.#membersOf(concept, nodeCount);
      const fresh = this.#live(joining).slice(0, MEMBERS_MAX - members.length);
      if (fresh.length === 0) return undefined;
      return this.#rewrite(concept, members, fresh, () => {
        this.#figures.grown += 1;
        for (const { slot } of fresh) this.#written.add(slot);
      });
    });
  }

  /** A group of memories becomes a concept. */
  async #form(proposal: ConceptProposal, replays: readonly Replay[]): Promise<void> {
    await this.#step(() => {
      const members = this.#live(replays).slice(0, MEMBERS_MAX);
      if (members.length < this.#context.rules.formation.membersMin) return undefined;
      // Whoever was forgotten since is in the direction that was proposed.
      const isWhole = members.length === proposal.members.length;
      const centroid = isWhole ? proposal : this.#centroidOf(members);
      if (centroid === undefined) return undefined;
      const id = newConceptId();
      this.#write({ id, replaces: false, ...centroid, members, joining: members });
      return () => {
        this.#figures.formed += 1;
        for (const { slot } of members) this.#written.add(slot);
        this.#tell(id, members);
      };
    });
  }

  /** Looks after some concepts: those that lost members, that fall apart, and that are one. @returns where to go on */
  async #upkeep(cut: number): Promise<number> {
    const { concepts, upkeepFrom } = this.#context;
    const from = upkeepFrom < concepts.slots.length ? upkeepFrom : 0;
    const some = concepts.slots.slice(from, from + UPKEEP_MAX);
    for (const concept of some) await this.#step((nodeCount) => this.#tend(concept, nodeCount, cut));
    return from + some.length >= concepts.slots.length ? 0 : from + some.length;
  }

  /** What one concept needs; undefined where it needs nothing. */
  #tend(concept: number, nodeCount: number, cut: number): (() => void) | undefined {
    const { reader, concepts, kinship, rules } = this.#context;
    if (!reader.isLive(concept)) return undefined;
    const members = this.#membersOf(concept, nodeCount);
    const { membersMin } = rules.formation;
    if (members.length < membersMin) {
      this.#drafter.retire(reader.memory(concept).id, members, this.#compound);
      return () => {
        this.#figures.retired += 1;
      };
    }
    const { coherence, memberCount } = concepts.traits(concept);
    if (memberCount !== members.length) return this.#rewrite(concept, members, [], () => undefined);
    if (kinship.fallsApart({ coherence, memberCount }, cut)) return this.#split(concept, members, cut);
    const twin = kinship.twinOf(reader, concept, concepts, cut);
    return twin === undefined || !reader.isLive(twin)
      ? undefined
      : this.#merge(concept, members, this.#membersOf(twin, nodeCount), twin);
  }

  /** The members make groups of their own, or belong to nothing any more. */
  #split(concept: number, members: readonly Replay[], cut: number): () => void {
    const { reader, kinship, rules } = this.#context;
    const { membersMin } = rules.formation;
    const slots = members.map(({ slot }) => slot);
    const proposals = kinship.proposals(reader, slots, { cut, membersMin, threads: rules.threads });
    const kept = new Set(proposals.flatMap((proposal) => proposal.members));
    const lost = members.filter((_, row) => !kept.has(row));
    this.#drafter.retire(reader.memory(concept).id, lost, this.#compound);
    for (const proposal of proposals) {
      const own = proposal.members.map((row) => members[row]!);
      const { direction, coherence } = proposal;
      this.#write({ id: newConceptId(), replaces: false, direction, coherence, members: own, joining: own });
    }
    return () => {
      this.#figures.split += 1;
    };
  }

  /** The larger one takes the members of the other. */
  #merge(
    concept: number,
    members: readonly Replay[],
    twinMembers: readonly Replay[],
    twin: number,
  ): (() => void) | undefined {
    const { reader } = this.#context;
    const isLarger = members.length >= twinMembers.length;
    const [kept, gone] = isLarger ? [concept, twin] : [twin, concept];
    const [own, other] = isLarger ? [members, twinMembers] : [twinMembers, members];
    const known = new Set(own.map(({ slot }) => slot));
    const joining = other.filter(({ slot }) => !known.has(slot));
    this.#drafter.retire(reader.memory(gone).id, [], this.#compound);
    return this.#rewrite(kept, own, joining, () => {
      this.#figures.merged += 1;
    });
  }

  /** Stores a concept anew, with what its members say now. */
  #rewrite(
    concept: number,
    members: readonly Replay[],
    joining: readonly Replay[],
    done: () => void,
  ): (() => void) | undefined {
    const all = [...members, ...joining];
    const centroid = this.#centroidOf(all);
    if (centroid === undefined) return undefined;
    const { id } = this.#context.reader.memory(concept);
    this.#write({ id, replaces: true, ...centroid, members: all, joining });
    return () => {
      done();
      this.#tell(id, joining);
    };
  }

  #write(draft: Parameters<ConceptDrafter["write"]>[1]): void {
    const { reader, nowMs } = this.#context;
    const reached = this.#drafter.write(reader, draft, nowMs, this.#compound);
    this.#figures.consolidating += reached[NODE_PHASE.consolidating]!;
    this.#figures.remote += reached[NODE_PHASE.remote]!;
  }

  /** Phases of those that no concept took in, and how far the walk has come. */
  async #finish({ batch }: Plan): Promise<void> {
    const { rates } = this.#context.rules;
    await this.#step(() => {
      const reached = [0, 0, 0];
      for (const replay of batch.replays) {
        if (this.#written.has(replay.slot)) continue;
        const phase = phaseAfterReplay(replay, rates);
        if (phase === replay.phase) continue;
        this.#compound.traits(replay.node, { phase });
        reached[phase]! += 1;
      }
      if (batch.lastSequence !== undefined) this.#compound.progress("consolidation", batch.lastSequence);
      return () => {
        this.#figures.consolidating += reached[NODE_PHASE.consolidating]!;
        this.#figures.remote += reached[NODE_PHASE.remote]!;
      };
    });
  }

  #membersOf(concept: number, nodeCount: number): Replay[] {
    const { reader, nowMs } = this.#context;
    return membersOf(reader, concept, nodeCount, []).map((slot) => replayOf(reader, slot, nodeCount, nowMs));
  }

  #live(replays: readonly Replay[]): Replay[] {
    return replays.filter(({ slot }) => this.#context.reader.isLive(slot));
  }

  #centroidOf(members: readonly Replay[]): { direction: Float32Array; coherence: number } | undefined {
    const { reader, kinship } = this.#context;
    kinship.mover.begin();
    for (const { slot } of members) kinship.mover.addMember(reader.vectors.address(slot));
    const direction = new Float32Array(reader.dimensions);
    const coherence = kinship.mover.finish(members.length, direction);
    return coherence === undefined ? undefined : { direction, coherence };
  }

  #tell(concept: string, members: readonly Replay[]): void {
    const { reader, told, epoch } = this.#context;
    if (members.length === 0) return;
    const ids = epoch.inside(() =>
      reader.isCurrent ? members.slice(0, TOLD_MAX).map(({ slot }) => reader.memory(slot).id) : [],
    );
    if (ids.length > 0) told(concept, ids);
  }

  /** Fills a compound inside an epoch and sends it, unless there is nothing to do afterwards either. */
  async #step(fill: (nodeCount: number) => (() => void) | undefined): Promise<void> {
    this.#compound.clear();
    const applied = this.#inside(fill);
    if (applied === undefined || this.#compound.isEmpty) return;
    if (!(await this.#context.send(this.#compound.payload))) throw new Superseded();
    applied();
  }

  #inside<T>(read: (nodeCount: number) => T): T {
    const { reader, epoch } = this.#context;
    return epoch.inside(() => {
      if (!reader.isCurrent) throw new Superseded();
      return read(reader.root.load("nodeCount"));
    });
  }
}

function byConcept(replays: readonly Replay[]): Map<number, Replay[]> {
  const groups = new Map<number, Replay[]>();
  for (const replay of replays) {
    const group = groups.get(replay.concept);
    if (group === undefined) groups.set(replay.concept, [replay]);
    else group.push(replay);
  }
  return groups;
}

function newConceptId(): string {
  return `concept-${Bun.randomUUIDv7()}`;
}
