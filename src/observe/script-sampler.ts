/**
 * The runtime's own sampler for the thread that calls: where its JavaScript is, some 50 times a second.
 *
 * A thread that sleeps in native code called from JavaScript (a home writer on its doorbell) is seen in that call; one
 * that sleeps in its event loop is not seen at all. Once stopped, nothing of it runs on.
 */
import { drainMicrotasks } from "bun:jsc";
import { Session } from "node:inspector";
import type { ScriptNode, ScriptSamples } from "./profile-slice.ts";

/** A sample stops its thread and wakes the sampler, some 50 us together: at every 5 ms six threads cost 7 % of a core. */
export const SCRIPT_INTERVAL_MS = 20;

/** What `Profiler.stop` answers, as the Chrome DevTools protocol has it. */
type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  /** µs since the epoch */
  readonly startTime: number;
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
};

export class ScriptSampler {
  #session: Session | undefined;

  get isRunning(): boolean {
    return this.#session !== undefined;
  }

  start(): void {
    if (this.#session !== undefined) return;
    const session = new Session();
    session.connect();
    session.post("Profiler.enable");
    session.post("Profiler.setSamplingInterval", { interval: SCRIPT_INTERVAL_MS * 1000 });
    session.post("Profiler.start");
    this.#session = session;
  }

  /** Ends it; what was sampled, or why nothing was. */
  stop(): ScriptSamples | string {
    const session = this.#session;
    if (session === undefined) return "it was not started";
    let answer: ScriptSamples | string = "the sampler did not answer";
    session.post("Profiler.stop", (error, result) => {
      answer =
        error === null ? compact((result as unknown as { profile: CpuProfile }).profile) : error.message;
    });
    // A home writer never comes back to its event loop.
    drainMicrotasks();
    session.post("Profiler.disable");
    session.disconnect();
    this.#session = undefined;
    return answer;
  }
}

function compact({ nodes, startTime, samples = [], timeDeltas = [] }: CpuProfile): ScriptSamples {
  const placeOf = new Map(nodes.map(({ id }, place) => [id, place]));
  const parents = new Int32Array(nodes.length).fill(-1);
  for (const [place, { children = [] }] of nodes.entries()) {
    for (const child of children) parents[placeOf.get(child)!] = place;
  }
  let atUs = startTime;
  return {
    nodes: nodes.map(
      ({ callFrame: { functionName, url, lineNumber } }, place): ScriptNode => ({
        name: functionName === "" ? "(anonymous)" : functionName,
        file: url,
        line: lineNumber,
        parent: parents[place]!,
      }),
    ),
    samples: samples.map((id) => placeOf.get(id)!),
    times_ms: samples.map((_, index) => {
      atUs += timeDeltas[index] ?? 0;
      return Math.round(atUs / 100) / 10;
    }),
  };
}
