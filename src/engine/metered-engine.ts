/**
 * An engine that tells a meter of every operation: what it was, on how large a space, how it ended, how long it
 * took. It stands around another engine, so that what does the work is not mixed with what watches it; only the
 * stages inside a recall or remember are told by the parts themselves.
 *
 * Cost: two readings of the clock, a count and a record for each operation (bench/observe/record.bench.ts).
 */
import { ERROR_CODES } from "../base/error-codes.ts";
import { RequestError } from "../base/errors.ts";
import { OPERATION, OUTCOME, RECALL_MODES, REMEMBERED } from "../layout/metric-codes.ts";
import { SPACE_WORD } from "../layout/space-root.ts";
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
import { type EngineMeter, SILENT_SLOW_METER, type SlowMeter } from "./meters.ts";
import type { MindEngine } from "./mind-engine.ts";
import type { OperationTrace } from "./operation-trace.ts";
import type { SpaceRoot, SpaceTable } from "./space-table.ts";

type KnownSpace = { readonly root: SpaceRoot; readonly generation: number };

const NO_SPACE = -1;
const GETS_PER_TIMING = 8;
const DEGRADED = RECALL_MODES.indexOf("degraded");
const NOT_REMEMBERED = REMEMBERED.indexOf("refused");

export class MeteredEngine implements Engine {
  readonly mind: MindEngine;
  readonly #inner: Engine;
  readonly #meter: EngineMeter;
  readonly #table: SpaceTable;
  readonly #slow: SlowMeter;
  /** bounded: holds spaces that exist or existed when they were last used */
  readonly #known = new Map<string, KnownSpace>();
  #last: KnownSpace | undefined;
  #lastName: string | undefined;
  #gets = 0;

  constructor(inner: Engine, meter: EngineMeter, table: SpaceTable, slow: SlowMeter = SILENT_SLOW_METER) {
    this.mind = this.#meteredMind(inner.mind);
    this.#slow = slow;
    this.#inner = inner;
    this.#meter = meter;
    this.#table = table;
  }

  async remember(
    space: string,
    inputs: readonly RememberInput[],
    options: WriteOptions,
  ): Promise<(Remembered | Error)[]> {
    const startedAtMs = this.#meter.nowMs();
    try {
      const results = await this.#inner.remember(space, inputs, options);
      this.#countRemembered(results);
      // A batch of which a part was stored did what it could: the parts are counted by themselves.
      const refusal = results.every((result) => result instanceof Error) ? results[0] : undefined;
      const outcome = refusal === undefined ? OUTCOME.ok : outcomeOf(refusal);
      this.#ended(OPERATION.remember, space, startedAtMs, outcome, options.trace);
      return results;
    } catch (error) {
      this.#meter.remembered(NOT_REMEMBERED, inputs.length);
      throw this.#failed(OPERATION.remember, space, startedAtMs, error, options.trace);
    }
  }

  async recall(space: string, query: RecallQuery): Promise<Recalled> {
    const startedAtMs = this.#meter.nowMs();
    try {
      const recalled = await this.#inner.recall(space, query);
      const mode = recalled.degraded === undefined ? RECALL_MODES.indexOf(recalled.mode) : DEGRADED;
      if (query.trace !== undefined) query.trace.mode = mode;
      this.#meter.recalled(mode, recalled.memories.length);
      this.#ended(OPERATION.recall, space, startedAtMs, OUTCOME.ok, query.trace);
      return recalled;
    } catch (error) {
      throw this.#failed(OPERATION.recall, space, startedAtMs, error, query.trace);
    }
  }

  get(space: string, id: string): Memory {
    // Two readings of the clock would cost a tenth of what a get does, so one in GETS_PER_TIMING is timed.
    this.#gets = (this.#gets + 1) % GETS_PER_TIMING;
    const isTimed = this.#gets === 0;
    const startedAtMs = isTimed ? this.#meter.nowMs() : 0;
    try {
      const memory = this.#inner.get(space, id);
      if (isTimed) this.#ended(OPERATION.get, space, startedAtMs, OUTCOME.ok);
      else this.#meter.untimed(OPERATION.get, this.#liveCountOf(space), OUTCOME.ok);
      return memory;
    } catch (error) {
      if (isTimed) throw this.#failed(OPERATION.get, space, startedAtMs, error);
      this.#meter.untimed(OPERATION.get, this.#liveCountAfter(space, error), outcomeOf(error));
      throw error;
    }
  }

  forget(space: string, id: string, options: WriteOptions): Promise<Forgotten> {
    return this.#metered(
      OPERATION.forget,
      space,
      () => this.#inner.forget(space, id, options),
      options.trace,
    );
  }

  list(space: string, options: ListOptions): MemoryPage {
    return this.#timed(OPERATION.list, space, () => this.#inner.list(space, options));
  }

  createSpace(spec: SpaceSpec): Promise<SpaceInfo> {
    return this.#metered(OPERATION.create_space, spec.name, () => this.#inner.createSpace(spec));
  }

  updateSpace(name: string, update: SpaceUpdate): Promise<SpaceInfo> {
    return this.#metered(OPERATION.update_space, name, () => this.#inner.updateSpace(name, update));
  }

  deleteSpace(name: string): Promise<void> {
    return this.#metered(OPERATION.delete_space, name, () => this.#inner.deleteSpace(name));
  }

  rebuildIndex(space: string, options: IndexRebuild): Promise<IndexInfo> {
    return this.#metered(OPERATION.rebuild_index, space, () => this.#inner.rebuildIndex(space, options));
  }

  spaces(): SpaceInfo[] {
    return this.#inner.spaces();
  }

  space(name: string): SpaceInfo {
    return this.#inner.space(name);
  }

  index(space: string): IndexInfo {
    return this.#inner.index(space);
  }

  health(): Health {
    return this.#inner.health();
  }

  #meteredMind(inner: MindEngine): MindEngine {
    return {
      link: (space, spec, options) =>
        this.#metered(OPERATION.link, space, () => inner.link(space, spec, options), options.trace),
      unlink: (space, spec, options) =>
        this.#metered(OPERATION.unlink, space, () => inner.unlink(space, spec, options), options.trace),
      bindings: (space, id, options) =>
        this.#timed(OPERATION.list_bindings, space, () => inner.bindings(space, id, options)),
      reinforce: (space, id, options) =>
        this.#metered(OPERATION.reinforce, space, () => inner.reinforce(space, id, options), options.trace),
      fading: (space, query) => this.#timed(OPERATION.list_fading, space, () => inner.fading(space, query)),
      replay: (space, query) => this.#timed(OPERATION.replay, space, () => inner.replay(space, query)),
    };
  }

  /** Runs an operation that is put together from others, and tells of it as one. */
  measured<T>(operation: number, space: string, act: () => Promise<T>): Promise<T> {
    return this.#metered(operation, space, act);
  }

  /** The same of an operation that waits for nothing. */
  #timed<T>(operation: number, space: string, act: () => T): T {
    const startedAtMs = this.#meter.nowMs();
    try {
      const result = act();
      this.#ended(operation, space, startedAtMs, OUTCOME.ok);
      return result;
    } catch (error) {
      throw this.#failed(operation, space, startedAtMs, error);
    }
  }

  async #metered<T>(
    operation: number,
    space: string,
    act: () => Promise<T>,
    trace?: OperationTrace,
  ): Promise<T> {
    const startedAtMs = this.#meter.nowMs();
    try {
      const result = await act();
      this.#ended(operation, space, startedAtMs, OUTCOME.ok, trace);
      return result;
    } catch (error) {
      throw this.#failed(operation, space, startedAtMs, error, trace);
    }
  }

  /** @param trace of an operation whose tracer will see by itself that it was slow */
  #ended(
    operation: number,
    space: string,
    startedAtMs: number,
    outcome: number,
    trace?: OperationTrace,
  ): void {
    const tookMs = this.#meter.nowMs() - startedAtMs;
    this.#meter.operation(operation, this.#liveCountOf(space), outcome, tookMs);
    if (tookMs >= this.#slow.thresholdMs && trace === undefined) {
      this.#slow.untraced(operation, space, tookMs, undefined);
    }
  }

  /** @returns the error, to be thrown again */
  #failed(
    operation: number,
    space: string,
    startedAtMs: number,
    error: unknown,
    trace?: OperationTrace,
  ): unknown {
    const tookMs = this.#meter.nowMs() - startedAtMs;
    this.#meter.operation(operation, this.#liveCountAfter(space, error), outcomeOf(error), tookMs);
    if (tookMs >= this.#slow.thresholdMs && trace === undefined) {
      this.#slow.untraced(operation, space, tookMs, error);
    }
    return error;
  }

  #liveCountAfter(space: string, error: unknown): number {
    // A space that is not there would be looked for in the whole table.
    const isMissing = error instanceof RequestError && error.code === "space-not-found";
    return isMissing ? NO_SPACE : this.#liveCountOf(space);
  }

  /** NO_SPACE where there is none of that name, as after its deletion. */
  #liveCountOf(name: string): number {
    // Most calls come for the space of the call before.
    const known = name === this.#lastName ? this.#last : this.#known.get(name);
    // Plain loads, at a tenth of the cost of atomic ones: a count read a moment late is as good.
    if (known !== undefined && known.root.words[SPACE_WORD.generation] === known.generation) {
      this.#last = known;
      this.#lastName = name;
      return known.root.words[SPACE_WORD.liveCount]!;
    }
    return this.#lookUp(name);
  }

  #lookUp(name: string): number {
    const root = this.#table.find(name);
    if (root === undefined) {
      this.#known.delete(name);
      this.#lastName = undefined;
      return NO_SPACE;
    }
    this.#last = { root, generation: root.words[SPACE_WORD.generation]! };
    this.#lastName = name;
    this.#known.set(name, this.#last);
    return root.load("liveCount");
  }

  #countRemembered(results: readonly (Remembered | Error)[]): void {
    for (const result of results) {
      const outcome = result instanceof Error ? NOT_REMEMBERED : REMEMBERED.indexOf(result.outcome);
      this.#meter.remembered(outcome, 1);
    }
  }
}

/** The OUTCOME of an operation that threw: an error that a later try may not meet has a status of 429 or from 500 on. */
export function outcomeOf(error: unknown): number {
  if (!(error instanceof RequestError)) return OUTCOME.failed;
  const declared = ERROR_CODES[error.code];
  if (declared.kind !== "request") return OUTCOME.failed;
  return declared.status === 429 || declared.status >= 500 ? OUTCOME.unavailable : OUTCOME.refused;
}
