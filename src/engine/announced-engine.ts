/**
 * A metered engine that tells, too, which memories were formed, recalled and forgotten, if anybody listens.
 *
 * Whether somebody does is asked once a call, before it: nobody listening costs one load, and no promise.
 */
import type { EventWriter } from "../shm/event-writer.ts";
import type {
  Engine,
  Forgotten,
  Recalled,
  RecallQuery,
  Remembered,
  RememberInput,
  WriteOptions,
} from "./engine.ts";
import { MeteredEngine } from "./metered-engine.ts";
import type { EngineMeter, SlowMeter } from "./meters.ts";
import type { SpaceTable } from "./space-table.ts";

/** An event of a recall names the best ones. */
const RECALLED_MAX = 32;

export class AnnouncedEngine extends MeteredEngine {
  readonly #events: EventWriter;

  constructor(
    inner: Engine,
    meter: EngineMeter,
    table: SpaceTable,
    told: { readonly events: EventWriter; readonly slow: SlowMeter },
  ) {
    super(inner, meter, table, told.slow);
    this.#events = told.events;
  }

  override remember(
    space: string,
    inputs: readonly RememberInput[],
    options: WriteOptions,
  ): Promise<(Remembered | Error)[]> {
    const remembering = super.remember(space, inputs, options);
    if (!this.#events.wants("formed")) return remembering;
    return remembering.then((results) => {
      for (const result of results) {
        if (result instanceof Error || result.outcome === "kept") continue;
        this.#events.emit("formed", { space, id: result.id, outcome: result.outcome });
      }
      return results;
    });
  }

  override recall(space: string, query: RecallQuery): Promise<Recalled> {
    const recalling = super.recall(space, query);
    if (!this.#events.wants("recalled")) return recalling;
    return recalling.then((recalled) => {
      this.#events.emit("recalled", {
        space,
        mode: recalled.mode,
        count: recalled.memories.length,
        memories: recalled.memories.slice(0, RECALLED_MAX).map(({ id, score }) => ({ id, score })),
        took_ms: recalled.tookMs,
      });
      return recalled;
    });
  }

  override forget(space: string, id: string, options: WriteOptions): Promise<Forgotten> {
    const forgetting = super.forget(space, id, options);
    if (!this.#events.wants("forgotten")) return forgetting;
    return forgetting.then((forgotten) => {
      if (forgotten.forgotten) this.#events.emit("forgotten", { space, id, reason: "asked" });
      return forgotten;
    });
  }
}
