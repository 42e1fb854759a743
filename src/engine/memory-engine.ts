/**
 * The engine as one API worker has it: reads straight from shared memory, writes through the home writers.
 *
 * A remember: space found or made → embedded where no embedding came → held back while the tail is full →
 * analysed and encoded here → sent to the space's home writer → answered when as durable as was asked for.
 * Everything between two awaits sees memory inside one epoch; nothing read is kept across an await.
 */
import { RequestError } from "../base/errors.ts";
import type { EmbeddingProvider } from "../embedding/embedder.ts";
import { ScoreAccumulator } from "../index/word-index-reader.ts";
import { analyse } from "../language/analyse.ts";
import { TermBuffer } from "../language/term-buffer.ts";
import { timesMentioned } from "../language/time-mention.ts";
import { OPERATION, STAGE } from "../layout/metric-codes.ts";
import { NODE_KIND } from "../layout/node-header.ts";
import { WRITE_OP, WRITE_OUTCOME } from "../layout/write-message.ts";
import type { EpochReader } from "../shm/epochs.ts";
import type {
  Engine,
  Forgotten,
  Health,
  IndexInfo,
  IndexRebuild,
  ListOptions,
  Memory,
  MemoryPage,
  Recalled,
  RecallQuery,
  Remembered,
  RememberInput,
  SpaceInfo,
  SpaceSpec,
  SpaceUpdate,
  WriteOptions,
} from "./engine.ts";
import type { EngineSettings } from "./engine-settings.ts";
import { idKeyOf } from "./id-key.ts";
import { type EngineMeter, SILENT_ENGINE_METER } from "./meters.ts";
import { MindVerbs } from "./mind/mind-verbs.ts";
import { UseReporter } from "./mind/use-reporter.ts";
import { normalised } from "./normalise.ts";
import type { OperationTrace } from "./operation-trace.ts";
import { mustBeReady, type Readiness } from "./readiness.ts";
import { Recaller } from "./recall/recaller.ts";
import { cursorOf, slotOfCursor } from "./slot-cursor.ts";
import { SpaceDirectory } from "./space-directory.ts";
import { SpaceReader } from "./space-reader.ts";
import type { SpaceRoot, SpaceTable } from "./space-table.ts";
import { ThoughtReads } from "./thought/thought-reads.ts";
import type { WriteClient, WriteReply } from "./write-client.ts";
import { PayloadEncoder } from "./write-codec.ts";

export type MemoryEngineOptions = {
  readonly table: SpaceTable;
  readonly client: WriteClient;
  readonly epoch: EpochReader;
  readonly settings: EngineSettings;
  readonly embedder: EmbeddingProvider;
  readonly writerCount: number;
  /** ms since the epoch */
  readonly wallClock: () => number;
  /** monotonic, ms */
  readonly now: () => number;
  /** false until the home writers have recovered; they say why once they have failed */
  readonly readiness: () => Readiness;
  /** told of every recall answered: the indexer goes by it */
  readonly onRecall: () => void;
  readonly health: (spaces: SpaceInfo[]) => Health;
  /** told of the stages of operations; of the operations themselves, `MeteredEngine` tells */
  readonly meter?: EngineMeter;
};

/** How long a write waits for the indexer to make room in the tail before it is answered `overloaded`. */
const TAIL_WAIT_MS_MAX = 30_000;
const TAIL_POLL_MS = 2;

export class MemoryEngine implements Engine {
  readonly mind: MindVerbs;
  /** what the verbs of thought read; not a part of what clients call */
  readonly thoughts: ThoughtReads;
  readonly #options: MemoryEngineOptions;
  readonly #meter: EngineMeter;
  readonly #directory: SpaceDirectory;
  readonly #recaller: Recaller;
  readonly #readers: (SpaceReader | undefined)[] = [];
  readonly #accumulator = new ScoreAccumulator();
  readonly #encoder = new PayloadEncoder();
  readonly #terms = new TermBuffer();
  /** undefined where recalls teach nothing */
  readonly #uses: UseReporter | undefined;
  /** settled at the next look at the tails; undefined while nobody waits */
  #tailTick: Promise<void> | undefined;

  constructor(options: MemoryEngineOptions) {
    this.#options = options;
    this.#meter = options.meter ?? SILENT_ENGINE_METER;
    this.#directory = new SpaceDirectory(options);
    this.#recaller = new Recaller(options, this.#accumulator);
    if (options.settings.forgetting.learnFromRecall) {
      const { client, wallClock } = options;
      this.#uses = new UseReporter({ client, wallClock, passedOver: this.#meter.passedOver });
    }
    const read = <T>(space: string, action: (reader: SpaceReader) => T): T => {
      this.#mustBeReady();
      return this.#read(space, action);
    };
    this.mind = new MindVerbs({
      forgetting: options.settings.forgetting,
      client: options.client,
      wallClock: options.wallClock,
      read,
    });
    this.thoughts = new ThoughtReads({
      settings: options.settings,
      meter: this.#meter,
      wallClock: options.wallClock,
      read,
      plan: (space, query) => {
        this.#mustBeReady();
        return this.#recaller.plan(this.#readerOf(space), query);
      },
    });
  }

  async remember(
    spaceName: string,
    inputs: readonly RememberInput[],
    { ack, trace }: WriteOptions,
  ): Promise<(Remembered | Error)[]> {
    this.#mustBeReady();
    const { client, wallClock } = this.#options;
    await this.#directory.forWriting(spaceName);
    const { root, generation } = this.#locate(spaceName);
    trace?.noteSpace(root);
    const vectors = await this.#vectorsOf(root, inputs, trace);
    await this.#roomInTail(root, trace);

    const storedAtMs = wallClock();
    const results = new Array<Remembered | Error>(inputs.length);
    const ids = new Array<string>(inputs.length);
    const language = this.#reader(root).language;
    const writer = root.load("writer");
    if (trace !== undefined) trace.writer = writer;
    const { ticket, done } = client.open(inputs.length);
    const failed: WriteReply = { outcome: -1, extra: 0, sequence: 0 };
    for (let item = 0; item < inputs.length; item++) {
      const input = inputs[item]!;
      const vector = vectors[item]!;
      if (vector instanceof Error) {
        results[item] = vector;
        client.settle(ticket, item, failed);
        continue;
      }
      const id = input.id ?? Bun.randomUUIDv7();
      ids[item] = id;
      for (;;) {
        // Encoded again after each wait: the encoder and the terms are shared by all requests of the thread.
        analyse(input.content, language, this.#terms);
        const payload = this.#encoder.remember({
          id,
          content: input.content,
          metadataJson: input.metadataJson,
          tags: input.tags ?? [],
          timestampMs: input.timestampMs ?? storedAtMs,
          storedAtMs,
          confidence: input.confidence ?? 0.7,
          vector: vector?.unit,
          norm: vector?.norm ?? 0,
          replaces: input.ifExists === "replace",
          kind: input.kind,
          importance: input.importance,
          valence: input.valence,
          detailsJson: input.detailsJson,
        });
        const sent = client.trySend(writer, ticket, item, {
          op: WRITE_OP.remember,
          spaceIndex: root.spaceIndex,
          spaceGeneration: generation,
          ack,
          ifExists: input.ifExists ?? "error",
          payload,
          terms: this.#terms,
          tokenCount: this.#terms.tokenCount,
        });
        if (sent) break;
        client.flush(writer);
        const waitsFromMs = this.#meter.nowMs();
        try {
          await client.room();
          if (trace !== undefined) trace.ringWaitMs += this.#meter.nowMs() - waitsFromMs;
        } catch (error) {
          results[item] = error as Error;
          client.settle(ticket, item, failed);
          break;
        }
      }
    }
    client.flush(writer);
    const sentAtMs = this.#meter.nowMs();
    const replies = await done;
    const loggedAtMs = this.#meter.nowMs();
    this.#meter.stage(OPERATION.remember, STAGE.log, loggedAtMs - sentAtMs);
    trace?.stage(STAGE.log, loggedAtMs - sentAtMs, loggedAtMs);
    for (let item = 0; item < inputs.length; item++) {
      if (results[item] !== undefined) continue;
      const id = ids[item]!;
      const outcome = replies[item]!.outcome;
      if (
        outcome === WRITE_OUTCOME.stored ||
        outcome === WRITE_OUTCOME.replaced ||
        outcome === WRITE_OUTCOME.kept
      ) {
        const kept = outcome === WRITE_OUTCOME.kept;
        results[item] = {
          id,
          space: spaceName,
          ack,
          storedAtMs: kept ? this.#storedAtMs(spaceName, generation, id, storedAtMs) : storedAtMs,
          outcome: kept ? "kept" : outcome === WRITE_OUTCOME.replaced ? "replaced" : "stored",
          embedded: vectors[item] !== undefined,
        };
      } else {
        results[item] = this.#refusal(outcome, { id, spaceName });
      }
    }
    return results;
  }

  async recall(spaceName: string, query: RecallQuery): Promise<Recalled> {
    this.#mustBeReady();
    const startedAtMs = this.#options.now();
    const plan = await this.#recaller.plan(this.#readerOf(spaceName), query);
    const { epoch } = this.#options;
    epoch.enter();
    try {
      const reader = this.#readerOf(spaceName);
      const memories = this.#recaller.run(reader, plan);
      this.#options.onRecall();
      // Who looks at how things stood does not use them.
      const { conceptAnswer } = this.#recaller;
      const blend = conceptAnswer?.memorySystems;
      if (blend !== undefined) this.#meter.blended(blend.fast, blend.slow);
      const isUse = query.asOfMs === undefined && query.isPassive !== true;
      if (isUse) this.#uses?.recalled(reader.root, reader.generation, memories);
      return {
        memories,
        space: spaceName,
        mode: query.mode === "spreading" && plan.degraded === undefined ? "spreading" : plan.mode,
        degraded: plan.degraded,
        asOf:
          query.asOfMs === undefined
            ? undefined
            : { atMs: query.asOfMs, usedSince: this.#recaller.usedSince },
        activation: this.#recaller.activation,
        ...conceptAnswer,
        tookMs: this.#options.now() - startedAtMs,
      };
    } finally {
      epoch.exit();
    }
  }

  get(spaceName: string, id: string): Memory {
    this.#mustBeReady();
    return this.#read(spaceName, (reader) => {
      const slot = reader.find(idKeyOf(id));
      if (slot < 0) throw notFound(id, spaceName);
      return reader.memory(slot);
    });
  }

  async forget(spaceName: string, id: string, { ack, trace }: WriteOptions): Promise<Forgotten> {
    this.#mustBeReady();
    const { root, generation } = this.#locate(spaceName);
    const { client } = this.#options;
    const writer = root.load("writer");
    trace?.noteSpace(root);
    if (trace !== undefined) trace.writer = writer;
    const { outcome } = await client.request(writer, {
      op: WRITE_OP.forget,
      spaceIndex: root.spaceIndex,
      spaceGeneration: generation,
      ack,
      ifExists: "error",
      payload: this.#encoder.forget(id).slice(),
    });
    if (outcome !== WRITE_OUTCOME.forgotten) throw this.#refusal(outcome, { id, spaceName });
    return { id, space: spaceName, ack, forgotten: true };
  }

  list(spaceName: string, { cursor, limit, kinds }: ListOptions): MemoryPage {
    this.#mustBeReady();
    const codes = kinds?.map((kind) => NODE_KIND[kind]);
    return this.#read(spaceName, (reader) => {
      // Concepts are what the appliance makes of memories; they are listed only where they are asked for.
      const isAsked = (kind: number): boolean =>
        codes === undefined ? kind !== NODE_KIND.concept : codes.includes(kind as (typeof codes)[0]);
      const isListed = (at: number): boolean => reader.isLive(at) && isAsked(reader.kind(at));
      const nodeCount = reader.root.load("nodeCount");
      let slot = cursor === undefined ? 0 : slotOfCursor(cursor, reader.generation);
      const memories: Memory[] = [];
      for (; slot < nodeCount && memories.length < limit; slot++) {
        if (isListed(slot)) memories.push(reader.memory(slot));
      }
      while (slot < nodeCount && !isListed(slot)) slot++;
      return { memories, nextCursor: slot < nodeCount ? cursorOf(slot, reader.generation) : undefined };
    });
  }

  spaces(): SpaceInfo[] {
    this.#mustBeReady();
    return this.#directory.list();
  }

  space(name: string): SpaceInfo {
    this.#mustBeReady();
    return this.#directory.info(this.#directory.existing(name));
  }

  createSpace(spec: SpaceSpec): Promise<SpaceInfo> {
    this.#mustBeReady();
    return this.#directory.create(spec);
  }

  updateSpace(name: string, update: SpaceUpdate): Promise<SpaceInfo> {
    this.#mustBeReady();
    return this.#directory.update(name, update);
  }

  deleteSpace(name: string): Promise<void> {
    this.#mustBeReady();
    return this.#directory.delete(name);
  }

  index(name: string): IndexInfo {
    this.#mustBeReady();
    return this.#directory.index(this.#directory.existing(name));
  }

  rebuildIndex(name: string, options: IndexRebuild): Promise<IndexInfo> {
    this.#mustBeReady();
    return this.#directory.rebuild(name, options);
  }

  health(): Health {
    return this.#options.health(this.#options.readiness().ready ? this.#directory.list() : []);
  }

  /**
   * Goes once over what a first request would find cold (stemming, month names, code not compiled yet: some
   * 30 ms), so that it is done while the home writers recover.
   */
  warmUp(): void {
    const { settings, embedder } = this.#options;
    const language = settings.defaultLanguage;
    const text = "Warming up: what was said in May about running?";
    analyse(text, language, this.#terms);
    timesMentioned(text, language);
    embedder.embedSync?.([text], "query", { language });
  }

  /** Lets go of what the engine holds. */
  close(): void {
    this.#uses?.close();
    this.thoughts.close();
    this.#options.embedder.close();
  }

  /**
   * For each input its unit vector, undefined where it is to be embedded later, or why it can not be stored.
   */
  async #vectorsOf(
    root: SpaceRoot,
    inputs: readonly RememberInput[],
    trace: OperationTrace | undefined,
  ): Promise<({ unit: Float32Array; norm: number } | undefined | Error)[]> {
    const { embedder, settings } = this.#options;
    const dimensions = root.load("dimensions");
    const vectors = new Array<{ unit: Float32Array; norm: number } | undefined | Error>(inputs.length);
    const missing: number[] = [];
    for (let item = 0; item < inputs.length; item++) {
      const { embedding } = inputs[item]!;
      if (embedding === undefined) missing.push(item);
      else vectors[item] = checkedVector(embedding, dimensions, `the space "${root.text("name")}" takes`);
    }
    if (missing.length === 0) return vectors;
    const refusal = this.#directory.cannotEmbed(root);
    if (refusal !== undefined) {
      for (const item of missing) vectors[item] = refusal;
      return vectors;
    }
    const texts = missing.map((item) => inputs[item]!.content);
    const startedAtMs = this.#meter.nowMs();
    try {
      const embedded =
        embedder.embedSync !== undefined
          ? embedder.embedSync(texts, "memory", { language: this.#reader(root).language })
          : await embedder.embed(texts, "memory", { trace: trace?.outgoing() });
      const endedAtMs = this.#meter.nowMs();
      this.#meter.stage(OPERATION.remember, STAGE.embed, endedAtMs - startedAtMs);
      trace?.stage(STAGE.embed, endedAtMs - startedAtMs, endedAtMs);
      for (let i = 0; i < missing.length; i++)
        vectors[missing[i]!] = checkedVector(
          embedded[i]!,
          dimensions,
          `the space "${root.text("name")}" takes`,
        );
    } catch (error) {
      const unavailable = error instanceof RequestError && error.code === "embedder-unavailable";
      if (!unavailable) throw error;
      for (const item of missing) vectors[item] = settings.whenUnavailable === "store" ? undefined : error;
    }
    return vectors;
  }

  /** Waits while the space's unindexed tail is full: recalls scan it, so it must not grow without end. */
  async #roomInTail(root: SpaceRoot, trace: OperationTrace | undefined): Promise<void> {
    const { settings, now } = this.#options;
    if (tailOf(root) < settings.tailMax) return;
    const waitsFromMs = now();
    const deadlineMs = waitsFromMs + TAIL_WAIT_MS_MAX;
    while (tailOf(root) >= settings.tailMax) {
      if (now() > deadlineMs) {
        throw new RequestError({
          code: "overloaded",
          message: `${tailOf(root)} vectors wait to be indexed, at most ${settings.tailMax} may`,
          retryAfterSeconds: 5,
        });
      }
      // One timer for all that wait: sixty-four writers looking every 2 ms are 32,000 timers a second.
      this.#tailTick ??= Bun.sleep(TAIL_POLL_MS).then(() => {
        this.#tailTick = undefined;
      });
      await this.#tailTick;
      this.#mustBeReady();
      if (trace !== undefined) trace.tailWaitMs = now() - waitsFromMs;
    }
  }

  #readerOf(spaceName: string): SpaceReader {
    return this.#reader(this.#directory.existing(spaceName));
  }

  #reader(root: SpaceRoot): SpaceReader {
    const known = this.#readers[root.spaceIndex];
    if (known?.isCurrent) return known;
    const reader = new SpaceReader(root, this.#options.settings.bm25, this.#accumulator);
    this.#readers[root.spaceIndex] = reader;
    return reader;
  }

  /** Reads inside an epoch, and looks the space up inside it too: one found before might be freed by then. */
  #read<T>(spaceName: string, action: (reader: SpaceReader) => T): T {
    return this.#options.epoch.inside(() => action(this.#readerOf(spaceName)));
  }

  /**
   * The space of that name, and its generation at a moment when it was that space: its block of the table may be
   * another space's later, and the writer tells them apart by it.
   */
  #locate(spaceName: string): { readonly root: SpaceRoot; readonly generation: number } {
    return this.#options.epoch.inside(() => {
      const root = this.#directory.existing(spaceName);
      return { root, generation: root.load("generation") };
    });
  }

  #storedAtMs(spaceName: string, generation: number, id: string, otherwise: number): number {
    const { epoch, table } = this.#options;
    return epoch.inside(() => {
      const root = table.find(spaceName);
      if (root === undefined || root.load("generation") !== generation) return otherwise;
      const reader = this.#reader(root);
      const slot = reader.find(idKeyOf(id));
      return slot < 0 ? otherwise : reader.memory(slot).storedAtMs;
    });
  }

  #mustBeReady(): void {
    mustBeReady(this.#options.readiness());
  }

  #refusal(outcome: number, { id, spaceName }: { id: string; spaceName: string }): RequestError {
    switch (outcome) {
      case WRITE_OUTCOME.exists:
        return new RequestError({
          code: "memory-exists",
          message: `A memory with the id ${JSON.stringify(id)} exists in space "${spaceName}" already`,
          expected: "an id that is new in its space",
          received: id,
          at: "id",
        });
      case WRITE_OUTCOME.notFound:
        return notFound(id, spaceName);
      case WRITE_OUTCOME.diskFull:
        return new RequestError({
          code: "disk-full",
          message: "The log has no room on its disk; nothing was stored",
          retryAfterSeconds: 10,
        });
      case WRITE_OUTCOME.memoryRefused:
        return new RequestError({
          code: "memory-exhausted",
          message: "The machine has no memory left for the space; nothing was stored",
          retryAfterSeconds: 10,
        });
      case WRITE_OUTCOME.spaceGone:
        return new RequestError({
          code: "space-not-found",
          message: `The space "${spaceName}" was deleted meanwhile`,
        });
      case WRITE_OUTCOME.spaceFull:
        return new RequestError({
          code: "space-full",
          message: `The space "${spaceName}" holds ${this.#options.settings.memoriesMax} memories already, or has no slot left`,
        });
      default:
        return new RequestError({
          code: "shutting-down",
          message: `The write was not taken (outcome ${outcome})`,
          retryAfterSeconds: 5,
        });
    }
  }
}

/** Vectors of the space that are not in its graph yet. */
export function tailOf(root: SpaceRoot): number {
  return Math.max(0, root.load("nodeCount") - root.load("indexedCount"));
}

function checkedVector(
  embedding: Float32Array,
  dimensions: number,
  /** who takes how many: 'the space "default" takes' */
  taken: string,
): { unit: Float32Array; norm: number } | Error {
  if (embedding.length !== dimensions) {
    return new RequestError({
      code: "dimensions-mismatch",
      message: `The embedding has ${embedding.length} dimensions, ${taken} ${dimensions}`,
      expected: `${dimensions} numbers`,
      received: `${embedding.length} numbers`,
      at: "embedding",
    });
  }
  return normalised(embedding);
}

function notFound(id: string, spaceName: string): RequestError {
  return new RequestError({
    code: "memory-not-found",
    message: `The space "${spaceName}" holds no memory with the id ${JSON.stringify(id)}`,
    expected: "the id of a memory in this space",
    received: id,
    at: "id",
  });
}
