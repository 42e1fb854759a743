/** The verbs of the mind over shared memory: reads here, changes through the space's home writer. */
import { RequestError } from "../../base/errors.ts";
import type { Hash64 } from "../../base/hash64.ts";
import { strengthAfterUse } from "../../cognition/co-use.ts";
import { BINDING_KIND, type BindingKind } from "../../layout/binding.ts";
import { BINDING_KINDS } from "../../layout/metric-codes.ts";
import type { WriteOptions } from "../engine.ts";
import { idKeyOf } from "../id-key.ts";
import {
  type BindingSeen,
  type EpisodePage,
  type FadingPage,
  type FadingQuery,
  LINK_STRENGTH_DEFAULT,
  type Link,
  type LinkSpec,
  type MindEngine,
  type Reinforced,
  type ReplayQuery,
} from "../mind-engine.ts";
import { type Forgetting, forgettingOf } from "../space-forgetting.ts";
import type { SpaceReader } from "../space-reader.ts";
import type { WriteClient } from "../write-client.ts";
import { BindingList } from "./binding-reader.ts";
import { CompoundBuilder } from "./compound.ts";
import { replayEpisodes } from "./episode-replay.ts";
import { fadingMemories } from "./fading-list.ts";
import { type MindReply, type MindTarget, sendCompound, sendUses } from "./mind-client.ts";
import { TRAITS_AT_BIRTH } from "./traits-record.ts";

/** What the engine lends. */
export type MindVerbsOptions = {
  readonly client: WriteClient;
  /** ms since the epoch */
  readonly wallClock: () => number;
  /** of spaces that have no own, and the floor of all */
  readonly forgetting: Forgetting & { readonly floor: number };
  /** Runs a read inside an epoch. @throws {RequestError} `not-ready`, `shutting-down`, `space-not-found` */
  readonly read: <T>(space: string, action: (reader: SpaceReader) => T) => T;
};

type Ends = { readonly target: MindTarget; readonly source: Hash64; readonly destination: Hash64 };
type Found = Ends & { readonly strength: number; readonly useCount: number };

export class MindVerbs implements MindEngine {
  readonly #options: MindVerbsOptions;
  readonly #list = new BindingList();

  constructor(options: MindVerbsOptions) {
    this.#options = options;
  }

  async link(
    space: string,
    spec: LinkSpec & { readonly strength?: number | undefined },
    { ack }: WriteOptions,
  ): Promise<Link> {
    if (spec.source === spec.destination) {
      throw new RequestError({
        code: "request-invalid",
        message: "A memory is not linked to itself",
        expected: "two memories",
        received: spec.source,
        at: "destination",
      });
    }
    const found = this.#options.read(space, (reader) => this.#find(reader, spec));
    const isNew = found.strength === 0;
    const strength = spec.strength ?? (isNew ? LINK_STRENGTH_DEFAULT : strengthAfterUse(found.strength));
    const useCount = isNew ? 0 : found.useCount + 1;
    const lastUsedSeconds = Math.floor(this.#options.wallClock() / 1000);
    await this.#bind(space, spec, found, { strength, useCount, lastUsedSeconds }, ack);
    const { source, destination, kind } = spec;
    return { source, destination, kind, space, ack, strength, useCount, isNew };
  }

  async unlink(space: string, spec: LinkSpec, { ack }: WriteOptions) {
    const found = this.#options.read(space, (reader) => this.#find(reader, spec));
    if (found.strength === 0) {
      throw new RequestError({
        code: "link-not-found",
        message: `No ${spec.kind} leads from ${JSON.stringify(spec.source)} to ${JSON.stringify(spec.destination)}`,
        expected: "two memories with a link of this kind, in this direction",
        at: "destination",
      });
    }
    await this.#bind(space, spec, found, { strength: 0, useCount: 0, lastUsedSeconds: 0 }, ack);
    const { source, destination, kind } = spec;
    return { source, destination, kind, ack };
  }

  bindings(
    space: string,
    id: string,
    { kinds, limit }: { readonly kinds?: readonly BindingKind[] | undefined; readonly limit: number },
  ): BindingSeen[] {
    return this.#options.read(space, (reader) => {
      const list = this.#list;
      const count = reader.bindings.read(slotOf(reader, id, "id"), reader.root.load("nodeCount"), list);
      const order: number[] = [];
      for (let i = 0; i < count; i++) {
        if (kinds === undefined || kinds.includes(BINDING_KINDS[list.kinds[i]!]!)) order.push(i);
      }
      order.sort((a, b) => list.strengths[b]! - list.strengths[a]! || list.targets[a]! - list.targets[b]!);
      return order.slice(0, limit).map((i) => ({
        kind: BINDING_KINDS[list.kinds[i]!]!,
        id: reader.memory(list.targets[i]!).id,
        direction: list.reversed[i] === 1 ? "in" : "out",
        strength: list.strengths[i]!,
        useCount: list.useCounts[i]!,
        lastUsedMs: list.lastUsedSeconds[i] === 0 ? undefined : list.lastUsedSeconds[i]! * 1000,
      }));
    });
  }

  async reinforce(space: string, id: string, { ack }: WriteOptions): Promise<Reinforced> {
    const { client, wallClock, read } = this.#options;
    const { target, node } = read(space, (reader) => ({
      target: targetOf(reader),
      node: reader.nodeAt(slotOf(reader, id, "id")),
    }));
    const reply = await sendUses(client, target, [{ node, how: "reinforced", atMs: wallClock() }], ack);
    checkDone(reply, space, id);
    return read(space, (reader) => {
      const traits = reader.traits(slotOf(reader, id, "id"), { ...TRAITS_AT_BIRTH });
      const { useCount, stabilityHours, importance, lastUsedMs } = traits;
      return { id, space, ack, useCount, stabilityHours, importance, lastUsedMs };
    });
  }

  fading(space: string, query: FadingQuery): FadingPage {
    const { forgetting, read, wallClock } = this.#options;
    return read(space, (reader) =>
      fadingMemories(
        reader,
        { ...query, floor: query.floor ?? forgetting.floor },
        { atMs: query.atMs ?? wallClock(), forgetting: forgettingOf(reader.root, forgetting) },
      ),
    );
  }

  replay(space: string, query: ReplayQuery): EpisodePage {
    return this.#options.read(space, (reader) => replayEpisodes(reader, query));
  }

  #find(reader: SpaceReader, { source, destination, kind }: LinkSpec): Found {
    const from = slotOf(reader, source, "source");
    const to = slotOf(reader, destination, "destination");
    const list = this.#list;
    const count = reader.bindings.read(from, reader.root.load("nodeCount"), list);
    let [strength, useCount] = [0, 0];
    for (let i = 0; i < count; i++) {
      if (list.targets[i] !== to || list.kinds[i] !== BINDING_KIND[kind] || list.reversed[i] === 1) continue;
      [strength, useCount] = [list.strengths[i]!, list.useCounts[i]!];
    }
    return {
      target: targetOf(reader),
      source: reader.nodeAt(from),
      destination: reader.nodeAt(to),
      strength,
      useCount,
    };
  }

  async #bind(
    space: string,
    spec: LinkSpec,
    { target, source, destination }: Ends,
    state: { strength: number; useCount: number; lastUsedSeconds: number },
    ack: WriteOptions["ack"],
  ): Promise<void> {
    const compound = new CompoundBuilder().bind({
      source,
      destination,
      kind: BINDING_KIND[spec.kind],
      ...state,
    });
    const reply = await sendCompound(this.#options.client, target, compound.payload, ack);
    checkDone(reply, space, spec.source);
  }
}

function targetOf({ root, generation }: SpaceReader): MindTarget {
  return { root, generation };
}

/** @throws {RequestError} `memory-not-found` */
function slotOf(reader: SpaceReader, id: string, at: string): number {
  const slot = reader.find(idKeyOf(id));
  if (slot < 0) throw notFound(id, reader.name, at);
  return slot;
}

/** A memory that was there when it was looked for may be forgotten by the time the writer does what was asked. */
function checkDone({ gone, done }: MindReply, space: string, id: string): void {
  if (gone) {
    throw new RequestError({
      code: "space-not-found",
      message: `The space "${space}" was deleted meanwhile`,
    });
  }
  if (done === 0) throw notFound(id, space, "id");
}

function notFound(id: string, space: string, at: string): RequestError {
  return new RequestError({
    code: "memory-not-found",
    message: `The space "${space}" holds no memory with the id ${JSON.stringify(id)}`,
    expected: "the id of a memory in this space",
    received: id,
    at,
  });
}
