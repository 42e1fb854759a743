/**
 * Random operations on the appliance and on the naive twin at once, and the comparison of what both answer.
 *
 * One client, one operation at a time, so both have to agree on everything: outcomes, errors, what is there, in
 * which order it is listed, and what a recall finds. Where the twin counts otherwise, it is said how:
 *   - similarities are compared to 1e-4, and neighbours in a ranking only if they differ by more
 *   - a vector's score is its cosine, or 0 below that, in the appliance; the order of zeros is its own affair
 *   - BM25 is compared to a thousandth, which holds for the twin's k1 and b (MODEL_SETTINGS) and short texts
 */
import { RequestError } from "../../src/base/errors.ts";
import type { Random } from "../../src/base/random.ts";
import type { Ack, IfExists, Memory, RecalledMemory, RecallQuery } from "../../src/engine/engine.ts";
import {
  type ApplianceClient,
  answered,
  type MemoryReply,
  type NewMemory,
} from "../support/appliance-client.ts";
import { MindSteps } from "./mind-steps.ts";
import type { NaiveEngine } from "./naive-engine.ts";

export const DIMENSIONS = 24;
/** Those of the twin. */
export const MODEL_SETTINGS = {
  "recall.bm25_k1": 0.9,
  "recall.bm25_b": 0.4,
  "forgetting.learn_from_recall": false,
} as const;
const SPACES = ["red", "green", "blue"] as const;
const ID_COUNT = 80;
const WORDS =
  "amber basil cedar delta ember fjord grove hazel inlet jetty kelp lotus maple nectar olive pearl".split(
    " ",
  );
const TAGS = ["one", "two", "three"];
const TIME_START = 1_700_000_000_000;
const TIME_SPAN = 1_000_000;
const IF_EXISTS: readonly IfExists[] = ["error", "keep", "replace", "replace"];
const SIMILARITY_TOLERANCE = 1e-4;
const BM25_TOLERANCE = 1e-3;

/** What one step found wrong, as a list of sentences. */
export class ModelSteps {
  readonly #random: Random;
  readonly #twin: NaiveEngine;
  readonly #mind: MindSteps;
  /** memories found by each kind of recall, to show that they found something */
  readonly found = { vector: 0, words: 0 };
  /** acknowledged from memory only, and not made durable by a later write yet */
  isVolatile = false;

  constructor(random: Random, twin: NaiveEngine) {
    this.#random = random;
    this.#twin = twin;
    this.#mind = new MindSteps(random, twin);
  }

  /** Does one random operation on both. @returns what was different, if anything was */
  async step(client: ApplianceClient): Promise<string | undefined> {
    const dice = this.#random.below(125);
    if (dice < 28) return this.#rememberOne(client);
    if (dice < 40) return this.#rememberBatch(client);
    if (dice < 48) return this.#forget(client);
    if (dice < 58) return this.#get(client);
    if (dice < 63) return this.#list(client);
    if (dice < 80) return this.#recallVector(client);
    if (dice < 95) return this.#recallWords(client);
    if (dice < 100) return this.#space(client);
    return this.#mindStep(client);
  }

  /** Makes what was only acknowledged from memory durable. */
  async settle(client: ApplianceClient): Promise<void> {
    if (!this.isVolatile) return;
    const name = SPACES[0];
    if (!this.#exists(name)) await this.#createSpace(client, name);
    const difference = await this.#remember(client, name, [this.#memory("settled", "replace")], "fsync");
    if (difference !== undefined) throw new Error(difference);
  }

  /** Compares everything that is there. */
  async compareAll(client: ApplianceClient): Promise<string | undefined> {
    const spaces = (await client.spaces()).map(({ name, memories }) => `${name}: ${memories}`).sort();
    const expected = this.#twin.spaces().map(({ name, memories }) => `${name}: ${memories}`);
    const difference = differs("spaces", spaces, expected.sort());
    if (difference !== undefined) return difference;
    for (const { name } of this.#twin.spaces()) {
      const listed = await client.listAll(name, 1000);
      const mine = this.#twin.list(name, { limit: 1_000_000 }).memories;
      const unequal = differs(`all of ${name}`, listed.map(comparable), mine.map(comparableTwin));
      if (unequal !== undefined) return unequal;
      for (const { id } of mine) {
        const linked = await this.#mind.linksDiffer(client, name, id);
        if (linked !== undefined) return linked;
      }
    }
    return undefined;
  }

  async #mindStep(client: ApplianceClient): Promise<string | undefined> {
    const space = this.#spaceName();
    // As for memories: spaces are made by an operation of their own.
    if (!this.#exists(space)) return undefined;
    const [id, other] = [this.#id(), this.#id()];
    const difference = await this.#mind.step({
      client,
      space,
      id,
      other,
      embedding: this.#vector(DIMENSIONS),
    });
    this.isVolatile = true;
    return difference;
  }

  #rememberOne(client: ApplianceClient): Promise<string | undefined> {
    const memory = this.#memory(this.#id(), IF_EXISTS[this.#random.below(IF_EXISTS.length)]!);
    return this.#remember(client, this.#spaceName(), [memory], this.#ack());
  }

  #rememberBatch(client: ApplianceClient): Promise<string | undefined> {
    const memories = Array.from({ length: 1 + this.#random.below(25) }, () =>
      this.#memory(this.#id(), IF_EXISTS[this.#random.below(IF_EXISTS.length)]!),
    );
    return this.#remember(client, this.#spaceName(), memories, this.#ack());
  }

  async #remember(
    client: ApplianceClient,
    space: string,
    memories: readonly NewMemory[],
    ack: Ack,
  ): Promise<string | undefined> {
    // Spaces that auto_create makes have other dimensions; they are made by an operation of their own here.
    if (!this.#exists(space)) return undefined;
    const single = memories.length === 1 && this.#random.below(2) === 0;
    let outcomes: string[];
    if (single) {
      const reply = await client.remember({ ...memories[0]!, ack }, space);
      outcomes = [reply.ok ? `${reply.body.outcome} ${reply.body.ack}` : reply.body.code];
    } else {
      const { results } = answered(await client.rememberBatch(memories, { ack }, space));
      outcomes = results.map((each) => ("error" in each ? each.error.code : `${each.outcome} ${each.ack}`));
    }
    const inputs = memories.map(({ timestamp, metadata, if_exists, ...rest }) => ({
      ...rest,
      timestampMs: timestamp,
      metadataJson: metadata === undefined ? undefined : JSON.stringify(metadata),
      ifExists: if_exists,
    }));
    const twins = await this.#twin.remember(space, inputs, { ack });
    const expected = twins.map((each) =>
      each instanceof Error ? codeOf(each) : `${each.outcome} ${each.ack}`,
    );
    if (expected.some((outcome) => outcome.endsWith(ack))) this.isVolatile = ack === "memory";
    return differs(`remember in ${space}`, outcomes, expected);
  }

  async #forget(client: ApplianceClient): Promise<string | undefined> {
    const [space, id, ack] = [this.#spaceName(), this.#id(), this.#ack()];
    const reply = await client.forget(id, ack, space);
    const expected = await outcomeOf(() => this.#twin.forget(space, id, { ack }));
    if (reply.ok) this.isVolatile = ack === "memory";
    return differs(`forget ${id} in ${space}`, reply.ok ? "done" : reply.body.code, expected.code);
  }

  async #get(client: ApplianceClient): Promise<string | undefined> {
    const [space, id] = [this.#spaceName(), this.#id()];
    const reply = await client.get(id, space);
    const expected = await outcomeOf(() => this.#twin.get(space, id));
    return differs(
      `get ${id} in ${space}`,
      reply.ok ? comparable(reply.body) : reply.body.code,
      expected.value === undefined ? expected.code : comparableTwin(expected.value),
    );
  }

  async #list(client: ApplianceClient): Promise<string | undefined> {
    const space = this.#spaceName();
    const limit = 1 + this.#random.below(40);
    let cursor: string | undefined;
    let twinCursor: string | undefined;
    do {
      const reply = await client.list({ limit, cursor }, space);
      const page = await outcomeOf(() => this.#twin.list(space, { limit, cursor: twinCursor }));
      if (!reply.ok || page.value === undefined)
        return differs(`list ${space}`, reply.ok ? "done" : reply.body.code, page.code);
      const unequal = differs(
        `a page of ${space}`,
        reply.body.memories.map(comparable),
        page.value.memories.map(comparableTwin),
      );
      if (unequal !== undefined) return unequal;
      cursor = reply.body.next_cursor ?? undefined;
      twinCursor = page.value.nextCursor;
      if ((cursor === undefined) !== (twinCursor === undefined)) return `the pages of ${space} end elsewhere`;
    } while (cursor !== undefined);
    return undefined;
  }

  async #recallVector(client: ApplianceClient): Promise<string | undefined> {
    const space = this.#spaceName();
    const query = { ...this.#filters(), embedding: this.#vector(DIMENSIONS), mode: "vector" as const };
    const limit = 1 + this.#random.below(30);
    const threshold = this.#random.below(3) === 0 ? this.#random.float() * 0.5 : undefined;
    // A beam as long as the space: then the graph, too, finds exactly the nearest.
    const reply = await client.recall({ ...asBody(query), limit, threshold, ef: 4096 }, space);
    const twin = await outcomeOf(() =>
      this.#twin.recall(space, { ...query, limit: 1_000_000, explain: true }),
    );
    if (!reply.ok || twin.value === undefined)
      return differs(`recall in ${space}`, reply.ok ? "done" : reply.body.code, twin.code);
    const ranked = twin.value.memories.map((memory) => ({ memory, score: cosineScore(memory) }));
    const expected = ranked.filter(({ score }) => score >= (threshold ?? 0)).slice(0, limit);
    const found = reply.body.memories;
    this.found.vector += found.length;
    const borderline = ranked.some(
      ({ score }) => threshold !== undefined && Math.abs(score - threshold) < SIMILARITY_TOLERANCE,
    );
    if (found.length !== expected.length && !borderline) {
      return `recall in ${space} finds ${found.length} by vector instead of ${expected.length}; ${JSON.stringify({ limit, threshold, ...query, embedding: undefined })}`;
    }
    const scoreById = new Map(ranked.map(({ memory, score }) => [memory.id, score]));
    for (const [rank, memory] of found.entries()) {
      const score = scoreById.get(memory.id);
      if (score === undefined)
        return `recall in ${space} finds ${memory.id}, which does not pass the filters`;
      const due = expected[rank]?.score ?? score;
      if (Math.abs(memory.score - score) > SIMILARITY_TOLERANCE)
        return `recall in ${space} scores ${memory.id} ${memory.score} instead of ${score}`;
      if (Math.abs(score - due) > SIMILARITY_TOLERANCE)
        return `recall in ${space} has ${memory.id} (${score}) at rank ${rank + 1}, where ${expected[rank]?.memory.id} (${due}) belongs`;
      const unequal = this.#contentDiffers(space, memory);
      if (unequal !== undefined) return unequal;
    }
    return undefined;
  }

  async #recallWords(client: ApplianceClient): Promise<string | undefined> {
    const space = this.#spaceName();
    const words = new Set(Array.from({ length: 1 + this.#random.below(3) }, () => this.#word()));
    const query = { ...this.#filters(), query: [...words].join(" "), mode: "words" as const };
    const reply = await client.recall({ ...asBody(query), limit: 1000, explain: true }, space);
    const twin = await outcomeOf(() =>
      this.#twin.recall(space, { ...query, limit: 1_000_000, explain: true }),
    );
    if (!reply.ok || twin.value === undefined)
      return differs(`recall in ${space}`, reply.ok ? "done" : reply.body.code, twin.code);
    const found = reply.body.memories;
    this.found.words += found.length;
    const bm25ById = new Map(twin.value.memories.map(({ id, why }) => [id, why?.words?.bm25 ?? 0]));
    const unequal = differs(
      `recall of "${query.query}" in ${space}`,
      found.map(({ id }) => id).sort(),
      [...bm25ById.keys()].sort(),
    );
    if (unequal !== undefined) return unequal;
    let above = Number.POSITIVE_INFINITY;
    for (const { id, score, why } of found) {
      const [bm25, due] = [why!.words!.bm25, bm25ById.get(id)!];
      if (Math.abs(bm25 - due) > due * BM25_TOLERANCE)
        return `recall of "${query.query}" in ${space} has BM25 ${bm25} for ${id}, where ${due} belongs`;
      if (score > above) return `recall of "${query.query}" in ${space} is not in the order of its scores`;
      above = score;
    }
    return undefined;
  }

  async #space(client: ApplianceClient): Promise<string | undefined> {
    const name = this.#spaceName();
    if (this.#random.below(4) > 0) return this.#createSpace(client, name);
    // One space is never deleted, so that in a long run it outgrows the exact scan and gets a graph.
    if (name === SPACES[0]) return undefined;
    const reply = await client.deleteSpace(name);
    const expected = await outcomeOf(() => this.#twin.deleteSpace(name));
    return differs(`delete space ${name}`, reply.ok ? "done" : reply.body.code, expected.code);
  }

  async #createSpace(client: ApplianceClient, name: string): Promise<string | undefined> {
    const spec = { name, dimensions: DIMENSIONS, embedder: "none", language: "none" };
    const reply = await client.createSpace(spec);
    const expected = await outcomeOf(() => this.#twin.createSpace(spec));
    return differs(`create space ${name}`, reply.ok ? "done" : reply.body.code, expected.code);
  }

  #contentDiffers(space: string, memory: MemoryReply): string | undefined {
    return differs(
      `${memory.id} as recalled`,
      comparable(memory),
      comparableTwin(this.#twin.get(space, memory.id)),
    );
  }

  #exists(space: string): boolean {
    return this.#twin.spaces().some(({ name }) => name === space);
  }

  #memory(id: string, if_exists: IfExists): NewMemory {
    const random = this.#random;
    const content = Array.from({ length: 1 + random.below(12) }, () => this.#word()).join(" ");
    const wrongLength = random.below(50) === 0;
    return {
      id,
      content,
      embedding: this.#vector(wrongLength ? DIMENSIONS + 1 : DIMENSIONS),
      confidence: random.below(101) / 100,
      timestamp: TIME_START + random.below(TIME_SPAN),
      tags: TAGS.filter(() => random.below(2) === 0),
      metadata: random.below(2) === 0 ? undefined : { number: random.below(1000), text: `"${id}"` },
      if_exists,
    };
  }

  #filters(): Pick<RecallQuery, "tags" | "fromMs" | "toMs" | "minConfidence"> {
    const random = this.#random;
    const time = () => TIME_START + random.below(TIME_SPAN);
    return {
      tags: random.below(3) === 0 ? [TAGS[random.below(TAGS.length)]!] : undefined,
      fromMs: random.below(4) === 0 ? time() : undefined,
      toMs: random.below(4) === 0 ? time() : undefined,
      minConfidence: random.below(4) === 0 ? random.below(101) / 100 : undefined,
    };
  }

  #vector(dimensions: number): Float32Array {
    return Float32Array.from({ length: dimensions }, () => this.#random.gaussian());
  }

  #word(): string {
    // Some words are frequent, some rare.
    return WORDS[Math.floor(this.#random.float() ** 2 * WORDS.length)]!;
  }

  #id(): string {
    return `memory/${this.#random.below(ID_COUNT)} ü`;
  }

  #spaceName(): string {
    return SPACES[this.#random.below(SPACES.length)]!;
  }

  #ack(): Ack {
    return (["fsync", "fsync", "wal", "memory"] as const)[this.#random.below(4)]!;
  }
}

function asBody({ fromMs, toMs, minConfidence, ...rest }: Partial<RecallQuery>) {
  const { limit: _limit, threshold: _threshold, ...query } = rest;
  return { ...query, from: fromMs, to: toMs, min_confidence: minConfidence };
}

function cosineScore(memory: RecalledMemory): number {
  return Math.max(0, Math.min(1, memory.why!.vector!.similarity));
}

type Outcome<T> = { readonly code: string; readonly value: T | undefined };

/** What the twin answers: "done" and the value, or the code of its refusal. */
async function outcomeOf<T>(action: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { code: "done", value: await action() };
  } catch (error) {
    return { code: codeOf(error), value: undefined };
  }
}

function codeOf(error: unknown): string {
  if (error instanceof RequestError) return error.code;
  throw error;
}

function comparable(memory: MemoryReply): string {
  const { id, content, tags, timestamp, confidence, metadata, kind, episode } = memory;
  return JSON.stringify([id, content, tags, timestamp, confidence, metadata, kind, episode ?? {}]);
}

function comparableTwin(memory: Memory): string {
  const { id, content, tags, timestampMs, confidence, metadataJson, kind, detailsJson } = memory;
  const time = new Date(timestampMs).toISOString();
  const metadata = JSON.parse(metadataJson ?? "{}");
  return JSON.stringify([
    id,
    content,
    tags,
    time,
    Math.round(confidence * 1e6) / 1e6,
    metadata,
    kind,
    JSON.parse(detailsJson ?? "{}"),
  ]);
}

function differs(what: string, found: string | string[], expected: string | string[]): string | undefined {
  if (Bun.deepEquals(found, expected)) return undefined;
  if (typeof found === "string" || typeof expected === "string")
    return `${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`;
  const at = found.findIndex((each, index) => each !== expected[index]);
  return `${what}: ${found.length} instead of ${expected.length}; at ${at}: ${found[at]} instead of ${expected[at]}`;
}
