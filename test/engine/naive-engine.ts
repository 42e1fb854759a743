/**
 * The engine as one would write it without caring for speed: arrays, exact cosines, BM25 from the textbook.
 *
 * Tests of the API serve from it, and the model test holds the real engine against it. It keeps the same promises:
 * ids, outcomes, errors, order, filters and spaces. Scores are its own, so tests compare memberships and order
 * where these are forced, not figures.
 */
import { RequestError } from "../../src/base/errors.ts";
import type {
  Ack,
  Engine,
  Forgotten,
  Health,
  IndexInfo,
  IndexRebuild,
  ListOptions,
  Memory,
  MemoryPage,
  Recalled,
  RecalledMemory,
  RecallQuery,
  Remembered,
  RememberInput,
  SpaceInfo,
  SpaceSpec,
  SpaceUpdate,
} from "../../src/engine/engine.ts";
import type { Forgetting } from "../../src/engine/space-forgetting.ts";
import { IMPORTANCE_DEFAULT } from "../../src/layout/node-header.ts";
import { NaiveMind } from "./naive-mind.ts";

type Stored = Memory & { readonly unit: Float32Array; readonly words: readonly string[] };

type Space = {
  readonly name: string;
  readonly dimensions: number;
  readonly embedder: string;
  readonly language: string;
  readonly createdAtMs: number;
  forgetting: Forgetting;
  /** by slot; a forgotten one leaves a hole */
  readonly memories: (Stored | undefined)[];
  readonly slotById: Map<string, number>;
  M: number;
  efConstruction: number;
};

export type NaiveOptions = {
  readonly dimensions?: number;
  readonly autoCreate?: boolean;
  readonly spacesMax?: number;
  readonly nowMs?: () => number;
  /** makes ids, where a memory brings none */
  readonly makeId?: () => string;
};

export class NaiveEngine implements Engine {
  readonly mind = new NaiveMind({
    get: (space, id) => this.get(space, id),
    all: (space) => this.#existing(space).memories.filter((memory) => memory !== undefined),
    forgetting: (space) => this.#existing(space).forgetting,
    nowMs: () => this.#nowMs(),
  });
  readonly #spaces = new Map<string, Space>();
  readonly #dimensions: number;
  readonly #autoCreate: boolean;
  readonly #spacesMax: number;
  readonly #nowMs: () => number;
  readonly #makeId: () => string;
  /** what health() answers; tests change it */
  state: { status: Health["status"]; ready: boolean } = { status: "ok", ready: true };

  constructor(options: NaiveOptions = {}) {
    this.#dimensions = options.dimensions ?? 768;
    this.#autoCreate = options.autoCreate ?? true;
    this.#spacesMax = options.spacesMax ?? 1024;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#makeId = options.makeId ?? (() => Bun.randomUUIDv7());
  }

  async remember(
    spaceName: string,
    inputs: readonly RememberInput[],
    { ack }: { readonly ack: Ack },
  ): Promise<(Remembered | Error)[]> {
    const space = this.#forWriting(spaceName);
    return inputs.map((input) => {
      try {
        return this.#store(space, input, ack);
      } catch (error) {
        return error as Error;
      }
    });
  }

  async recall(spaceName: string, query: RecallQuery): Promise<Recalled> {
    const space = this.#existing(spaceName);
    const vector = query.embedding === undefined ? undefined : this.#checked(space, query.embedding);
    const meaning =
      vector ?? (query.query === undefined ? undefined : hashedUnit(query.query, space.dimensions));
    const terms = query.query === undefined ? [] : wordsOf(query.query);
    const live = space.memories.filter((memory) => memory !== undefined);
    const passing = live.filter((memory) => passes(memory, query));
    const bm25 = bm25Scores(live, terms);
    const scored: RecalledMemory[] = [];
    for (const memory of passing) {
      const words = bm25.get(memory.id) ?? 0;
      const similarity = meaning === undefined ? 0 : dot(meaning, memory.unit);
      const cosineScore = Math.min(1, Math.max(0, (similarity + 1) / 2));
      const wordScore = words / (words + 1);
      let score = cosineScore;
      if (query.mode === "words") score = wordScore;
      else if (query.mode === "hybrid" && terms.length > 0) score = (cosineScore + wordScore) / 2;
      if (query.mode === "words" && words === 0) continue;
      if (query.threshold !== undefined && score < query.threshold) continue;
      const { unit: _unit, words: _words, ...rest } = memory;
      const why = {
        vector: { similarity, via: "scan" as const },
        ...(words > 0
          ? { words: { bm25: words, terms: terms.filter((term) => memory.words.includes(term)) } }
          : {}),
      };
      scored.push({ ...rest, score, why: query.explain === true ? why : undefined });
    }
    scored.sort((a, b) => b.score - a.score);
    return { memories: scored.slice(0, query.limit), space: spaceName, mode: query.mode, tookMs: 0 };
  }

  get(spaceName: string, id: string): Memory {
    const space = this.#existing(spaceName);
    const slot = space.slotById.get(id);
    const memory = slot === undefined ? undefined : space.memories[slot];
    if (memory === undefined) throw notFound(spaceName, id);
    return publicOf(memory);
  }

  async forget(spaceName: string, id: string, { ack }: { readonly ack: Ack }): Promise<Forgotten> {
    const space = this.#existing(spaceName);
    const slot = space.slotById.get(id);
    if (slot === undefined) throw notFound(spaceName, id);
    space.memories[slot] = undefined;
    space.slotById.delete(id);
    this.mind.forgotten(spaceName, id);
    return { id, space: spaceName, ack, forgotten: true };
  }

  list(spaceName: string, { cursor, limit, kinds }: ListOptions): MemoryPage {
    const isListed = (memory: Stored | undefined): memory is Stored =>
      memory !== undefined && (kinds === undefined || kinds.includes(memory.kind));
    const space = this.#existing(spaceName);
    if (cursor !== undefined && !/^\d+$/.test(cursor)) {
      throw new RequestError({
        code: "request-invalid",
        message: "The cursor is not one of ours",
        at: "cursor",
        expected: "next_cursor of a page before",
        received: JSON.stringify(cursor),
      });
    }
    const memories: Memory[] = [];
    let slot = cursor === undefined ? 0 : Number(cursor);
    for (; slot < space.memories.length && memories.length < limit; slot++) {
      const memory = space.memories[slot];
      if (isListed(memory)) memories.push(publicOf(memory));
    }
    while (slot < space.memories.length && !isListed(space.memories[slot])) slot++;
    return { memories, nextCursor: slot < space.memories.length ? String(slot) : undefined };
  }

  spaces(): SpaceInfo[] {
    return [...this.#spaces.values()].map(infoOf);
  }

  space(name: string): SpaceInfo {
    return infoOf(this.#existing(name));
  }

  async createSpace(spec: SpaceSpec): Promise<SpaceInfo> {
    if (this.#spaces.has(spec.name)) {
      throw new RequestError({
        code: "space-exists",
        message: `The space "${spec.name}" exists`,
        at: "name",
      });
    }
    if (this.#spaces.size >= this.#spacesMax) {
      throw new RequestError({
        code: "space-limit-reached",
        message: `${this.#spacesMax} spaces exist already`,
      });
    }
    const space: Space = {
      name: spec.name,
      dimensions: spec.dimensions ?? this.#dimensions,
      embedder: spec.embedder ?? "hash/1",
      language: spec.language ?? "english",
      createdAtMs: this.#nowMs(),
      forgetting: { curve: "power", stabilityHours: 168, ...spec.forgetting },
      memories: [],
      slotById: new Map(),
      M: 16,
      efConstruction: 128,
    };
    this.#spaces.set(spec.name, space);
    return infoOf(space);
  }

  async updateSpace(name: string, { forgetting }: SpaceUpdate): Promise<SpaceInfo> {
    const space = this.#existing(name);
    space.forgetting = { ...space.forgetting, ...forgetting };
    return infoOf(space);
  }

  async deleteSpace(name: string): Promise<void> {
    this.#existing(name);
    this.#spaces.delete(name);
    this.mind.spaceDeleted(name);
  }

  index(name: string): IndexInfo {
    const space = this.#existing(name);
    return {
      space: name,
      M: space.M,
      efConstruction: space.efConstruction,
      efSearch: 64,
      quantization: "f32",
      indexed: 0,
      tail: space.slotById.size,
      bytes: 0,
    };
  }

  async rebuildIndex(name: string, options: IndexRebuild): Promise<IndexInfo> {
    const space = this.#existing(name);
    space.M = options.M ?? space.M;
    space.efConstruction = options.efConstruction ?? space.efConstruction;
    return this.index(name);
  }

  health(): Health {
    return {
      status: this.state.status,
      ready: this.state.ready,
      version: "0.0.0",
      uptimeSeconds: 1,
      parts: {
        engine: { status: this.state.ready ? "ok" : "failed", detail: { spaces: this.#spaces.size } },
      },
    };
  }

  #store(space: Space, input: RememberInput, ack: Ack): Remembered {
    const unit =
      input.embedding === undefined
        ? this.#embedded(space, input.content)
        : this.#checked(space, input.embedding);
    const id = input.id ?? this.#makeId();
    const oldSlot = space.slotById.get(id);
    const nowMs = this.#nowMs();
    if (oldSlot !== undefined) {
      if (input.ifExists === "keep") {
        const storedAtMs = space.memories[oldSlot]!.storedAtMs;
        return { id, space: space.name, ack, storedAtMs, outcome: "kept", embedded: true };
      }
      if (input.ifExists !== "replace") {
        throw new RequestError({
          code: "memory-exists",
          message: `A memory with the id ${JSON.stringify(id)} exists in space "${space.name}" already`,
          at: "id",
        });
      }
      space.memories[oldSlot] = undefined;
    }
    space.slotById.set(id, space.memories.length);
    space.memories.push({
      id,
      content: input.content,
      metadataJson: input.metadataJson,
      tags: input.tags ?? [],
      timestampMs: input.timestampMs ?? nowMs,
      storedAtMs: nowMs,
      confidence: Math.fround(input.confidence ?? 0.7),
      ...mindOf(input),
      unit,
      words: wordsOf(input.content),
    });
    const outcome = oldSlot === undefined ? "stored" : "replaced";
    return { id, space: space.name, ack, storedAtMs: nowMs, outcome, embedded: true };
  }

  #embedded(space: Space, content: string): Float32Array {
    if (space.embedder !== "none") return hashedUnit(content, space.dimensions);
    throw new RequestError({
      code: "embedding-required",
      message: `The space "${space.name}" has no embedder`,
      at: "embedding",
    });
  }

  #checked(space: Space, embedding: Float32Array): Float32Array {
    if (embedding.length === space.dimensions) return normalised(embedding);
    throw new RequestError({
      code: "dimensions-mismatch",
      message: `The space "${space.name}" has ${space.dimensions} dimensions, the embedding ${embedding.length}`,
      at: "embedding",
      expected: `${space.dimensions} numbers`,
      received: `${embedding.length}`,
    });
  }

  #forWriting(name: string): Space {
    const found = this.#spaces.get(name);
    if (found !== undefined || !this.#autoCreate) return this.#existing(name);
    void this.createSpace({ name });
    return this.#existing(name);
  }

  #existing(name: string): Space {
    const space = this.#spaces.get(name);
    if (space !== undefined) return space;
    throw new RequestError({
      code: "space-not-found",
      message: `There is no memory space "${name}"`,
      at: "X-Memory-Space",
      received: name,
    });
  }
}

/** What a memory is beside its content, as its storer said. */
function mindOf(input: RememberInput): Pick<Memory, "kind" | "importance" | "valence" | "detailsJson"> {
  const kind = input.kind ?? "memory";
  return {
    kind,
    importance: input.importance ?? IMPORTANCE_DEFAULT,
    valence: input.valence ?? 0,
    detailsJson: kind === "memory" ? undefined : input.detailsJson,
  };
}

function passes(memory: Stored, query: RecallQuery): boolean {
  if (query.kinds !== undefined && !query.kinds.includes(memory.kind)) return false;
  if (query.tags?.some((tag) => !memory.tags.includes(tag))) return false;
  if (query.fromMs !== undefined && memory.timestampMs < query.fromMs) return false;
  if (query.toMs !== undefined && memory.timestampMs > query.toMs) return false;
  return query.minConfidence === undefined || memory.confidence >= Math.fround(query.minConfidence);
}

function publicOf({ unit: _unit, words: _words, ...memory }: Stored): Memory {
  return memory;
}

function notFound(space: string, id: string): RequestError {
  return new RequestError({
    code: "memory-not-found",
    message: `No memory has the id ${JSON.stringify(id)} in space "${space}"`,
    at: "id",
  });
}

function infoOf(space: Space): SpaceInfo {
  const live = space.slotById.size;
  return {
    name: space.name,
    dimensions: space.dimensions,
    embedder: space.embedder,
    language: space.language,
    quantization: "f32",
    node: 0,
    memories: live,
    episodes: 0,
    concepts: 0,
    unconsolidated: space.memories.length,
    forgotten: space.memories.length - live,
    indexed: 0,
    tail: live,
    pendingEmbedding: 0,
    unassociated: 0,
    bindings: 0,
    terms: new Set(space.memories.flatMap((memory) => memory?.words ?? [])).size,
    memoryBytes: live * space.dimensions * 4,
    meaning: undefined,
    createdAtMs: space.createdAtMs,
    forgetting: { ...space.forgetting, floor: 0.3 },
  };
}

/** The defaults of recall.bm25_k1 and recall.bm25_b. */
const K1 = 0.9;
const B = 0.4;

/** BM25 by id (Robertson & Zaragoza 2009). */
function bm25Scores(memories: readonly Stored[], terms: readonly string[]): Map<string, number> {
  const scores = new Map<string, number>();
  if (terms.length === 0) return scores;
  const meanLength =
    memories.reduce((sum, { words }) => sum + words.length, 0) / Math.max(1, memories.length);
  for (const term of new Set(terms)) {
    const holders = memories.filter(({ words }) => words.includes(term));
    const idf = Math.log(1 + (memories.length - holders.length + 0.5) / (holders.length + 0.5));
    for (const { id, words } of holders) {
      const count = words.filter((word) => word === term).length;
      const part =
        (idf * (count * (K1 + 1))) / (count + K1 * (1 - B + (B * words.length) / Math.max(1, meanLength)));
      scores.set(id, (scores.get(id) ?? 0) + part);
    }
  }
  return scores;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** A vector that texts with the same words share: each word adds one to a component of its own. */
function hashedUnit(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const word of wordsOf(text)) vector[Bun.hash.crc32(word) % dimensions]! += 1;
  if (vector.every((component) => component === 0)) vector[0] = 1;
  return normalised(vector);
}

function normalised(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((component) => component / length);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
