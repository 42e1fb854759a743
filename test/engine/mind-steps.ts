/**
 * Random operations on the mind, on the appliance and on the naive twin at once: episodes, links, uses, replay, and the
 * comparison of what both answer. Bindings that form by themselves are the appliance's own, so only links are compared.
 */
import { RequestError } from "../../src/base/errors.ts";
import type { Random } from "../../src/base/random.ts";
import type { Memory } from "../../src/engine/engine.ts";
import { type BindingSeen, LINK_KINDS } from "../../src/engine/mind-engine.ts";
import type { ApplianceClient, MemoryReply, Reply } from "../support/appliance-client.ts";
import type { NaiveEngine } from "./naive-engine.ts";

export type MindStep = {
  readonly client: ApplianceClient;
  readonly space: string;
  readonly id: string;
  readonly other: string;
  readonly embedding: Float32Array;
};

type SeenReply = { kind: string; id: string; direction: string; strength: number; use_count: number };

const OPTIONS = { ack: "fsync" } as const;
const WHO = ["Ada", "Rui", "Mia"] as const;
const SESSIONS = ["one", "two"] as const;
const TIME_START = 1_700_000_000_000;

export class MindSteps {
  readonly #random: Random;
  readonly #twin: NaiveEngine;

  constructor(random: Random, twin: NaiveEngine) {
    this.#random = random;
    this.#twin = twin;
  }

  /** Does one random operation on both. @returns what was different, if anything was */
  step(step: MindStep): Promise<string | undefined> {
    const dice = this.#random.below(10);
    if (dice < 3) return this.#episode(step);
    if (dice < 6) return this.#link(step);
    if (dice < 7) return this.#unlink(step);
    if (dice < 8) return this.#reinforce(step);
    if (dice < 9) return this.#replay(step);
    return this.linksDiffer(step.client, step.space, step.id);
  }

  /** Compares the links of one memory. */
  async linksDiffer(client: ApplianceClient, space: string, id: string): Promise<string | undefined> {
    const path = `/api/v1/links?id=${encodeURIComponent(id)}&kind=link&kind=cause&limit=1000`;
    const reply = await client.call<{ links: SeenReply[] }>("GET", path, undefined, space);
    return this.#compare(
      `links of ${id} in ${space}`,
      reply,
      ({ links }) => links.map(seenText).sort(),
      () => this.#twin.mind.bindings(space, id, { kinds: LINK_KINDS, limit: 1000 }).map(seenTextTwin).sort(),
    );
  }

  async #episode({ client, space, id, embedding }: MindStep): Promise<string | undefined> {
    const random = this.#random;
    const details = { who: [random.pick(WHO)], session: random.pick(SESSIONS) };
    // In halves, so that f32 holds it.
    const valence = random.below(5) / 2 - 1;
    const when = TIME_START + random.below(1_000_000_000);
    const content = `${details.who[0]} of ${id}`;
    const bytes = new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength).toBase64();
    const body = { ...details, what: content, id, valence, when, embedding: bytes, if_exists: "replace" };
    const reply = await client.call<{ outcome: string }>("POST", "/api/v1/episodes/remember", body, space);
    return this.#compare(
      `episode ${id} in ${space}`,
      reply,
      ({ outcome }) => outcome,
      async () => {
        const input = { content, id, valence, timestampMs: when, embedding, ifExists: "replace" } as const;
        const detailsJson = JSON.stringify(details);
        const [result] = await this.#twin.remember(
          space,
          [{ ...input, kind: "episode", detailsJson }],
          OPTIONS,
        );
        if (result instanceof Error) throw result;
        return result!.outcome;
      },
    );
  }

  async #link({ client, space, id, other }: MindStep): Promise<string | undefined> {
    const kind = this.#random.pick(LINK_KINDS);
    const strength = this.#random.below(3) === 0 ? undefined : (1 + this.#random.below(8)) / 8;
    const spec = { source: id, destination: other, kind, strength };
    const reply = await client.call<{ created: boolean; use_count: number }>(
      "POST",
      "/api/v1/links",
      spec,
      space,
    );
    return this.#compare(
      `link ${id} to ${other} in ${space}`,
      reply,
      ({ created, use_count: useCount }) => `${created} ${useCount}`,
      async () => {
        const { isNew, useCount } = await this.#twin.mind.link(space, spec, OPTIONS);
        return `${isNew} ${useCount}`;
      },
    );
  }

  async #unlink({ client, space, id, other }: MindStep): Promise<string | undefined> {
    const kind = this.#random.pick(LINK_KINDS);
    const query = new URLSearchParams({ source: id, destination: other, kind });
    const reply = await client.call<{ removed: boolean }>(
      "DELETE",
      `/api/v1/links?${query}`,
      undefined,
      space,
    );
    return this.#compare(
      `unlink ${id} and ${other} in ${space}`,
      reply,
      () => "gone",
      async () => {
        await this.#twin.mind.unlink(space, { source: id, destination: other, kind }, OPTIONS);
        return "gone";
      },
    );
  }

  async #reinforce({ client, space, id }: MindStep): Promise<string | undefined> {
    const path = `/api/v1/memories/${encodeURIComponent(id)}/reinforce`;
    const reply = await client.call<{ use_count: number }>("POST", path, undefined, space);
    return this.#compare(
      `reinforce ${id} in ${space}`,
      reply,
      ({ use_count: count }) => String(count),
      async () => String((await this.#twin.mind.reinforce(space, id, OPTIONS)).useCount),
    );
  }

  async #replay({ client, space }: MindStep): Promise<string | undefined> {
    const query = { who: this.#random.pick(WHO), session: this.#random.pick(SESSIONS), limit: 1000 };
    const path = `/api/v1/episodes/replay?who=${query.who}&session=${query.session}&limit=1000`;
    const reply = await client.call<{ episodes: MemoryReply[] }>("GET", path, undefined, space);
    return this.#compare(
      `replay of ${space}`,
      reply,
      ({ episodes }) => episodes.map(episodeText),
      () => this.#twin.mind.replay(space, query).episodes.map(episodeTextTwin),
    );
  }

  async #compare<T>(
    what: string,
    reply: Reply<T>,
    found: (body: T) => string | string[],
    act: () => Promise<string | string[]> | string | string[],
  ): Promise<string | undefined> {
    let expected: string | string[];
    try {
      expected = await act();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      expected = error.code;
    }
    const answer = reply.ok ? found(reply.body) : reply.body.code;
    if (Bun.deepEquals(answer, expected)) return undefined;
    return `${what}: ${JSON.stringify(answer)} instead of ${JSON.stringify(expected)}`;
  }
}

function seenText({ kind, id, direction, strength, use_count: useCount }: SeenReply): string {
  return `${kind} ${direction} ${id} ${strength.toFixed(4)} ${useCount}`;
}

function seenTextTwin({ kind, id, direction, strength, useCount }: BindingSeen): string {
  return seenText({ kind, id, direction, strength, use_count: useCount });
}

function episodeText({ id, kind, valence, episode }: MemoryReply): string {
  return JSON.stringify([id, kind, valence, episode?.who, episode?.session]);
}

function episodeTextTwin({ id, kind, valence, detailsJson }: Memory): string {
  const { who, session } = JSON.parse(detailsJson!) as { who: string[]; session: string };
  return JSON.stringify([id, kind, valence, who, session]);
}
