/**
 * Where time went, by call stack and thread: samples of JavaScript and of native code laid together.
 *
 * The kernel samples time on a core and knows native functions; the runtime's sampler knows which JavaScript called
 * them. A native sample is given the JavaScript stack that the thread was seen in nearest in time, down to where the
 * native stack leaves JavaScript. Where the kernel refuses, the JavaScript samples stand alone, without those in
 * which the thread only waited.
 */
import type { NativeFrame, NativeSamples, ProfileSlice, ScriptSamples } from "../../observe/profile-slice.ts";
import type { HotFunction } from "./measured.ts";

export type Frame = {
  readonly name: string;
  /** where it is: a file and line of JavaScript, or a library */
  readonly at: string;
  readonly kind: "script" | "native";
};

export type ThreadStacks = {
  readonly name: string;
  /** "core": time on a core; "script": time in JavaScript, waits left out */
  readonly measures: "core" | "script";
  /** places in `frames`, from the outermost in */
  readonly stacks: readonly { readonly frames: readonly number[]; readonly ms: number }[];
};

export type Stacks = { readonly frames: readonly Frame[]; readonly threads: readonly ThreadStacks[] };

const SCRIPT_NAME = "[JavaScript]";
const KERNEL_NAME = "[kernel]";
const OWN_LIBRARY = "libengram.so";
/** Files whose functions call it. */
const CALLS_NATIVE = /(^|\/)ffi\//;
/** Samples of the two kinds come every 20 and 10 ms; a loaded machine takes them later. */
const APART_MS_MAX = 30;
/** Where the native stack does not say that it was called from JavaScript. */
const NEAR_MS_MAX = 12;
/** The runtime's function in which a thread sleeps on a doorbell. */
const WAIT_NAME = "wait";
/** In the signal by which the runtime's sampler stops a thread. */
const SAMPLER_FRAMES: readonly string[] = ["__sigsuspend", "sigsuspend"];

export function stacksOf(slices: readonly ProfileSlice[]): Stacks {
  const frames = new FrameTable();
  const threads = new Map<string, { measures: ThreadStacks["measures"]; ms: Map<string, number> }>();
  const add = (
    name: string,
    measures: ThreadStacks["measures"],
    stack: readonly number[],
    ms: number,
  ): void => {
    const thread = threads.get(name) ?? { measures, ms: new Map<string, number>() };
    threads.set(name, thread);
    const key = stack.join();
    thread.ms.set(key, (thread.ms.get(key) ?? 0) + ms);
  };
  for (const slice of slices) {
    const scripts = new Map(
      slice.threads.map(({ name, script }) => [name, new ScriptStacks(script, frames)]),
    );
    if (slice.native !== null) {
      addNative(slice.native, scripts, frames, add);
      continue;
    }
    for (const [name, script] of scripts) {
      for (const stack of script.busy()) add(name, "script", stack, slice.script_interval_ms);
    }
  }
  return {
    frames: frames.all,
    threads: [...threads]
      .map(([name, { measures, ms }]) => ({
        name,
        measures,
        stacks: [...ms].map(([key, sum]) => ({
          frames: key === "" ? [] : key.split(",").map(Number),
          ms: Math.round(sum * 10) / 10,
        })),
      }))
      .sort((a, b) => totalMs(b) - totalMs(a)),
  };
}

export function totalMs({ stacks }: ThreadStacks): number {
  return stacks.reduce((sum, { ms }) => sum + ms, 0);
}

/**
 * Functions of JavaScript by the share of their thread's time that was in themselves, most first. What the runtime does
 * for a function (mathematics, JSON) counts as its own; calls of our library and of the kernel do not.
 */
export function hotFunctions({ frames, threads }: Stacks): HotFunction[] {
  return threads
    .flatMap((thread) => {
      const total = totalMs(thread);
      const self = new Map<number, number>();
      for (const { frames: stack, ms } of thread.stacks) {
        const leaf = stack.findLast((place) => !isDoneFor(frames[place]!));
        if (leaf === undefined || frames[leaf]!.kind !== "script") continue;
        self.set(leaf, (self.get(leaf) ?? 0) + ms);
      }
      return [...self].map(
        ([leaf, ms]): HotFunction => ({
          thread: thread.name,
          name: frames[leaf]!.name,
          file: frames[leaf]!.at,
          self: ms / total,
          is_certain: thread.measures === "core",
        }),
      );
    })
    .filter(({ self }) => self >= 0.02)
    .sort((a, b) => b.self - a.self)
    .slice(0, 40);
}

/** For each thread, the share of its samples of JavaScript in which it slept on a doorbell. */
export function doorbellWaits(slices: readonly ProfileSlice[]): ReadonlyMap<string, number> {
  const counts = new Map<string, { all: number; waits: number }>();
  for (const { name, script } of slices.flatMap(({ threads }) => threads)) {
    const count = counts.get(name) ?? { all: 0, waits: 0 };
    for (const place of script.samples) {
      count.all += 1;
      if (isWait(script.nodes[place]!)) count.waits += 1;
    }
    counts.set(name, count);
  }
  return new Map([...counts].map(([name, { all, waits }]) => [name, all === 0 ? 0 : waits / all]));
}

/** Whether a frame is what the runtime does for the function that called it. */
function isDoneFor({ name, at, kind }: Frame): boolean {
  return kind === "script" ? at === "" : at !== OWN_LIBRARY && name !== KERNEL_NAME;
}

type Add = (name: string, measures: "core", stack: readonly number[], ms: number) => void;

function addNative(
  native: NativeSamples,
  scripts: ReadonlyMap<string, ScriptStacks>,
  frames: FrameTable,
  add: Add,
): void {
  for (const { name, samples, times_ms } of native.threads) {
    const script = scripts.get(name);
    for (const [index, place] of samples.entries()) {
      const stack = native.stacks[place]!.map((frame) => native.frames[frame]!);
      add(name, "core", joined(stack, times_ms[index]!, script, frames), native.period_ms);
    }
  }
}

/** @param stack from the innermost out @returns places from the outermost in */
function joined(
  stack: readonly NativeFrame[],
  atMs: number,
  script: ScriptStacks | undefined,
  frames: FrameTable,
): number[] {
  const seen = stack.filter(({ name }) => !SAMPLER_FRAMES.includes(name));
  const into = seen.findIndex(({ name }) => name === SCRIPT_NAME);
  // Our own library is only ever called from JavaScript, also where its stack lost who called it.
  const isInOwnLibrary = seen.some(({ library }) => library === OWN_LIBRARY);
  const isSurelyFromScript = into >= 0 || isInOwnLibrary;
  const [leaf] = seen;
  // Interpreted JavaScript runs inside the program itself. In the kernel a thread may be for its event loop.
  const isPerhapsFromScript = leaf !== undefined && leaf.library !== "" && seen.some(isInProgram);
  const apartMs = isSurelyFromScript ? APART_MS_MAX : isPerhapsFromScript ? NEAR_MS_MAX : 0;
  const caller = apartMs === 0 ? undefined : script?.near(atMs, { isInOwnLibrary, apartMs });
  const own = caller === undefined ? seen : seen.slice(0, calleeCount(seen, into));
  const native: number[] = [];
  for (const { name, library } of [...own].reverse()) {
    const place = frames.place({ name, at: library, kind: "native" });
    // The runtime has no names: many frames of it say no more than one.
    if (native.at(-1) !== place) native.push(place);
  }
  return [...(caller ?? []), ...native];
}

/** How many of the innermost frames are what JavaScript called, and not what called it. */
function calleeCount(stack: readonly NativeFrame[], firstScript: number): number {
  if (firstScript >= 0) return firstScript;
  const firstProgram = stack.findIndex(isInProgram);
  return firstProgram >= 0 ? firstProgram : stack.length;
}

function isInProgram({ library }: NativeFrame): boolean {
  return library !== "" && !/\.so(\.|$)/.test(library);
}

/** The JavaScript stacks of one thread, by time. */
class ScriptStacks {
  readonly #script: ScriptSamples;
  readonly #frames: FrameTable;
  readonly #stacks = new Map<number, readonly number[]>();
  #from = 0;

  constructor(script: ScriptSamples, frames: FrameTable) {
    this.#script = script;
    this.#frames = frames;
  }

  /**
   * The stack seen nearest to a moment; asked with rising moments. The thread was running then, so samples in which
   * it slept are passed over; and of those near enough, one that calls native code goes before where it was in ours.
   */
  near(
    atMs: number,
    { isInOwnLibrary, apartMs: apartMsMax }: { isInOwnLibrary: boolean; apartMs: number },
  ): readonly number[] | undefined {
    const { samples, times_ms: times, nodes } = this.#script;
    while (this.#from < times.length && times[this.#from]! < atMs - APART_MS_MAX) this.#from += 1;
    let best: number | undefined;
    let bestApartMs = Number.POSITIVE_INFINITY;
    for (let at = this.#from; at < times.length && times[at]! <= atMs + APART_MS_MAX; at++) {
      const node = nodes[samples[at]!]!;
      if (isWait(node)) continue;
      const isFitting = CALLS_NATIVE.test(node.file) === isInOwnLibrary;
      const isNear = Math.abs(times[at]! - atMs) <= apartMsMax;
      const apartMs = Math.abs(times[at]! - atMs) + (isFitting ? 0 : APART_MS_MAX);
      if (!isNear) continue;
      if (apartMs >= bestApartMs) continue;
      best = samples[at]!;
      bestApartMs = apartMs;
    }
    return best === undefined ? undefined : this.#stackOf(best);
  }

  /** Every sample in which the thread did not only wait. */
  busy(): (readonly number[])[] {
    const { samples, nodes } = this.#script;
    return samples.filter((place) => !isWait(nodes[place]!)).map((place) => this.#stackOf(place));
  }

  #stackOf(place: number): readonly number[] {
    const known = this.#stacks.get(place);
    if (known !== undefined) return known;
    const stack: number[] = [];
    for (let at = place; at >= 0; at = this.#script.nodes[at]!.parent) {
      const { name, file, line } = this.#script.nodes[at]!;
      if (name === "(root)") break;
      const where = file === "" ? "" : `${fileName(file)}:${line + 1}`;
      stack.push(this.#frames.place({ name, at: where, kind: "script" }));
    }
    stack.reverse();
    this.#stacks.set(place, stack);
    return stack;
  }
}

class FrameTable {
  readonly all: Frame[] = [];
  readonly #places = new Map<string, number>();

  place(frame: Frame): number {
    const key = `${frame.kind} ${frame.name} ${frame.at}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.all.push(frame);
    this.#places.set(key, this.all.length - 1);
    return this.all.length - 1;
  }
}

function isWait({ name, file }: { readonly name: string; readonly file: string }): boolean {
  return name === WAIT_NAME && file === "";
}

/** "file:///a/src/engine/recaller.ts" is "src/engine/recaller.ts": no more of the machine than is told anyway. */
function fileName(file: string): string {
  return /(?:^|\/)((?:src|node_modules)\/.*)$/.exec(file)?.[1] ?? file.slice(file.lastIndexOf("/") + 1);
}
