/**
 * Profiles, as main sees to them: one at a time, every thread told to sample itself, native stacks of all of them
 * sampled from here, and what each saw gathered into one slice.
 *
 *   resting ──begin──▶ sampling ──time is up──▶ gathering ──all parts, or GATHER_MS──▶ resting
 *
 * Threads stop when main says so; a thread that is too busy to hand over what it saw is named as missing.
 */

import { PROCESS_FACT } from "../layout/process-facts.ts";
import type { Missing } from "../observe/host-snapshot.ts";
import { NativeSampler } from "../observe/native-sampler.ts";
import type { ProfileSlice, ScriptSamples, SpaceBusy } from "../observe/profile-slice.ts";
import { SCRIPT_INTERVAL_MS } from "../observe/script-sampler.ts";
import type { FromThread, ToThread } from "./boot.ts";

/** A checkpoint of a large space blocks its thread for longer; its stacks are in the native part all the same. */
const GATHER_MS = 3000;

type Means = {
  readonly facts: Float64Array;
  /** sends to each thread that hears */
  readonly tellAll: (message: ToThread) => void;
  /** the names of all threads: "api-0" */
  readonly threadNames: () => readonly string[];
};

type Heard = Extract<FromThread, { type: "take-profile" | "profile-part" | "profile-spaces" }>;

export class ProfileDesk {
  readonly #means: Means;
  #run = 0;
  #isBusy = false;
  #parts = new Map<string, ScriptSamples | string>();
  #spaces = new Map<string, readonly SpaceBusy[]>();
  #gathered: (() => void) | undefined;

  constructor(means: Means) {
    this.#means = means;
  }

  /** What a thread asks or saw. @param answer sends to that thread */
  hear(thread: string, said: Heard, answer: (message: ToThread) => void): void {
    if (said.type === "take-profile") {
      const { ticket, seconds } = said;
      this.#takeAlone(seconds).then((slice) => answer({ type: "profile-answer", ticket, answer: slice }));
      return;
    }
    if (said.run !== this.#run) return;
    if (said.type === "profile-part") this.#parts.set(thread, said.script);
    else this.#spaces.set(thread, said.spaces);
    if (this.#isComplete()) this.#gathered?.();
  }

  async #takeAlone(seconds: number): Promise<ProfileSlice | "busy"> {
    if (this.#isBusy) return "busy";
    this.#isBusy = true;
    try {
      return await this.#take(seconds);
    } finally {
      this.#isBusy = false;
    }
  }

  async #take(seconds: number): Promise<ProfileSlice> {
    this.#run += 1;
    this.#parts = new Map();
    this.#spaces = new Map();
    const startedAtMs = Date.now();
    const native = startNative();
    this.#tell(this.#run);
    await Bun.sleep(seconds * 1000);
    this.#tell(0);
    const stopped = native.stop();
    const endedAtMs = Date.now();
    const gathered = Promise.withResolvers<void>();
    this.#gathered = () => gathered.resolve();
    if (!this.#isComplete()) await Promise.race([gathered.promise, Bun.sleep(GATHER_MS)]);
    this.#gathered = undefined;
    const missing: Missing[] = [...stopped.missing];
    const threads = this.#means.threadNames().flatMap((name) => {
      const script = this.#parts.get(name);
      if (script !== undefined && typeof script !== "string") return [{ name, script }];
      missing.push({
        what: `JavaScript of ${name}`,
        reason: script ?? `the thread did not answer within ${GATHER_MS / 1000} s`,
        remedy: "Profile again: it may have been busy with one long call, which its native stacks show",
      });
      return [];
    });
    return {
      started_at_ms: startedAtMs,
      ended_at_ms: endedAtMs,
      script_interval_ms: SCRIPT_INTERVAL_MS,
      threads,
      native: stopped.native,
      spaces: merged([...this.#spaces.values()].flat()),
      missing,
    };
  }

  #tell(run: number): void {
    this.#means.facts[PROCESS_FACT.profileRun] = run;
    this.#means.tellAll({ type: "profile", run });
  }

  #isComplete(): boolean {
    const names = this.#means.threadNames();
    return names.every(
      (name) => this.#parts.has(name) && (!name.startsWith("api-") || this.#spaces.has(name)),
    );
  }
}

/** Samples native stacks; whatever goes wrong is told, and is no reason for main to fail. */
function startNative(): Pick<NativeSampler, "stop"> {
  const refused = (error: unknown): ReturnType<NativeSampler["stop"]> => ({
    native: null,
    missing: [
      {
        what: "native stacks",
        reason: error instanceof Error ? error.message : String(error),
        remedy: "Report this message; JavaScript is sampled all the same",
      },
    ],
  });
  try {
    const sampler = new NativeSampler();
    return {
      stop: () => {
        try {
          return sampler.stop();
        } catch (error) {
          return refused(error);
        }
      },
    };
  } catch (error) {
    return { stop: () => refused(error) };
  }
}

function merged(parts: readonly SpaceBusy[]): SpaceBusy[] {
  const bySpace = new Map<string, SpaceBusy>();
  for (const { space, operations, busy_ms } of parts) {
    const before = bySpace.get(space) ?? { space, operations: 0, busy_ms: 0 };
    bySpace.set(space, {
      space,
      operations: before.operations + operations,
      busy_ms: before.busy_ms + busy_ms,
    });
  }
  return [...bySpace.values()];
}
