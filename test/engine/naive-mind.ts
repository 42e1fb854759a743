/** The mind as one would write it without caring for speed: a map of bindings and one of traits for each space. */
import { RequestError } from "../../src/base/errors.ts";
import { strengthAfterUse } from "../../src/cognition/co-use.ts";
import { ageAtRetention, effectiveStability, HOUR_MS } from "../../src/cognition/forgetting.ts";
import { nextTraits, retentionOf, type Traits } from "../../src/cognition/use.ts";
import type { Memory, WriteOptions } from "../../src/engine/engine.ts";
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
} from "../../src/engine/mind-engine.ts";
import type { Forgetting } from "../../src/engine/space-forgetting.ts";
import type { BindingKind } from "../../src/layout/binding.ts";

type Bound = LinkSpec & { strength: number; useCount: number; lastUsedMs: number };
type Mind = { readonly bindings: Map<string, Bound>; readonly traits: Map<string, Traits> };

/** What the engine around it tells. */
export type NaiveMindHost = {
  /** @throws {RequestError} `memory-not-found` */
  readonly get: (space: string, id: string) => Memory;
  /** live memories, in the order of storing */
  readonly all: (space: string) => readonly Memory[];
  readonly forgetting: (space: string) => Forgetting;
  readonly nowMs: () => number;
};

export class NaiveMind implements MindEngine {
  readonly #host: NaiveMindHost;
  readonly #minds = new Map<string, Mind>();

  constructor(host: NaiveMindHost) {
    this.#host = host;
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
        at: "destination",
      });
    }
    const { source, destination, kind } = this.#ends(space, spec);
    const { bindings } = this.#mind(space);
    const before = bindings.get(keyOf(spec));
    const strength = spec.strength ?? (before ? strengthAfterUse(before.strength) : LINK_STRENGTH_DEFAULT);
    const useCount = before ? before.useCount + 1 : 0;
    const bound = { source, destination, kind, strength: Math.fround(strength), useCount };
    bindings.set(keyOf(spec), { ...bound, lastUsedMs: Math.floor(this.#host.nowMs() / 1000) * 1000 });
    return { source, destination, kind, space, ack, strength, useCount, isNew: before === undefined };
  }

  async unlink(space: string, spec: LinkSpec, { ack }: WriteOptions) {
    const ends = this.#ends(space, spec);
    if (!this.#mind(space).bindings.delete(keyOf(spec))) {
      throw new RequestError({ code: "link-not-found", message: "There is no such link", at: "destination" });
    }
    return { ...ends, ack };
  }

  bindings(
    space: string,
    id: string,
    { kinds, limit }: { readonly kinds?: readonly BindingKind[] | undefined; readonly limit: number },
  ): BindingSeen[] {
    this.#host.get(space, id);
    return [...this.#mind(space).bindings.values()]
      .filter((each) => each.source === id || each.destination === id)
      .filter(({ kind }) => kinds === undefined || kinds.includes(kind))
      .sort((a, b) => b.strength - a.strength)
      .slice(0, limit)
      .map(({ source, destination, kind, strength, useCount, lastUsedMs }) => ({
        kind,
        id: source === id ? destination : source,
        direction: source === id ? "out" : "in",
        strength,
        useCount,
        lastUsedMs,
      }));
  }

  async reinforce(space: string, id: string, { ack }: WriteOptions): Promise<Reinforced> {
    const memory = this.#host.get(space, id);
    const { curve, stabilityHours } = this.#host.forgetting(space);
    const { traits } = this.#mind(space);
    const before: Traits = traits.get(id) ?? {
      lastUsedMs: memory.storedAtMs,
      useCount: 0,
      stabilityHours,
      importance: memory.importance,
      valence: memory.valence,
      lastActivation: 0,
    };
    const after = nextTraits(before, "reinforced", this.#host.nowMs(), curve);
    traits.set(id, after);
    return { id, space, ack, ...after };
  }

  fading(space: string, { floor = 0.3, atMs, limit }: FadingQuery): FadingPage {
    const { curve, stabilityHours } = this.#host.forgetting(space);
    const memories = this.#host.all(space).flatMap((memory) => {
      const { id, importance, valence, storedAtMs } = memory;
      const fresh = {
        lastUsedMs: storedAtMs,
        useCount: 0,
        stabilityHours,
        importance,
        valence,
        lastActivation: 0,
      };
      const traits = this.#mind(space).traits.get(id) ?? fresh;
      const retention = retentionOf(traits, atMs ?? this.#host.nowMs(), curve);
      if (retention >= floor) return [];
      const { useCount, lastUsedMs } = traits;
      const stretched = effectiveStability(traits.stabilityHours, importance, valence);
      const fadedAtMs = lastUsedMs + ageAtRetention(curve, floor) * stretched * HOUR_MS;
      return [{ ...memory, retention, stabilityHours: stretched, useCount, lastUsedMs, fadedAtMs }];
    });
    return { memories: memories.slice(0, limit), floor, nextCursor: undefined };
  }

  replay(space: string, { fromMs, toMs, session, who, limit, cursor }: ReplayQuery): EpisodePage {
    const episodes = this.#host
      .all(space)
      .filter(({ kind }) => kind === "episode")
      .filter(({ timestampMs }) => timestampMs >= (fromMs ?? -Infinity) && timestampMs <= (toMs ?? Infinity))
      .filter(({ detailsJson }) => {
        const details = JSON.parse(detailsJson ?? "{}") as { session?: string; who?: string[] };
        if (session !== undefined && details.session !== session) return false;
        return who === undefined || (details.who ?? []).includes(who);
      })
      .sort((a, b) => a.timestampMs - b.timestampMs);
    const from = cursor === undefined ? 0 : Number(cursor);
    if (!Number.isInteger(from)) {
      throw new RequestError({
        code: "request-invalid",
        message: "The cursor is none of a replay",
        at: "cursor",
      });
    }
    const next = from + limit < episodes.length ? String(from + limit) : undefined;
    return { episodes: episodes.slice(from, from + limit), nextCursor: next };
  }

  /** The memory is gone, and with it what it was bound by. */
  forgotten(space: string, id: string): void {
    const { bindings, traits } = this.#mind(space);
    traits.delete(id);
    for (const [key, { source, destination }] of bindings) {
      if (source === id || destination === id) bindings.delete(key);
    }
  }

  spaceDeleted(space: string): void {
    this.#minds.delete(space);
  }

  #ends(space: string, { source, destination, kind }: LinkSpec): LinkSpec {
    for (const [at, id] of Object.entries({ source, destination })) {
      try {
        this.#host.get(space, id);
      } catch (error) {
        if (!(error instanceof RequestError) || error.code !== "memory-not-found") throw error;
        throw new RequestError({ code: "memory-not-found", message: error.message, at, received: id });
      }
    }
    return { source, destination, kind };
  }

  #mind(space: string): Mind {
    const known = this.#minds.get(space);
    if (known !== undefined) return known;
    const mind: Mind = { bindings: new Map(), traits: new Map() };
    this.#minds.set(space, mind);
    return mind;
  }
}

function keyOf({ source, destination, kind }: LinkSpec): string {
  return JSON.stringify([source, destination, kind]);
}
