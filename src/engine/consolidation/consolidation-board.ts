/** The board of consolidation (`layout/consolidation-board.ts`), as every thread that has to do with it sees it. */
import { assert } from "../../base/assert.ts";
import {
  BOARD_BYTES,
  BOARD_HEAD_BYTES,
  RUN_BYTES,
  RUN_COUNT,
  RUN_FIGURES_MAX,
  RUN_NAME,
  RUN_NUMBER,
  RUN_NUMBERS_AT,
  RUN_REASONS,
  RUN_STATE,
  RUN_STATES,
  RUN_WORD,
  type RunReason,
  type RunState,
} from "../../layout/consolidation-board.ts";
import { type ConsolidationFigures, FIGURE_NAMES, noFigures } from "./consolidation-figures.ts";

/** One run, copied out. */
export type ConsolidationRun = {
  readonly id: number;
  readonly space: string;
  readonly spaceIndex: number;
  readonly spaceGeneration: number;
  readonly state: RunState;
  readonly isRequested: boolean;
  readonly cyclesMax: number;
  readonly reason: RunReason;
  readonly requestedAtMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly pausedMs: number;
  readonly unconsolidated: number;
  readonly figures: ConsolidationFigures;
};

export type RunWish = Pick<
  ConsolidationRun,
  "space" | "spaceIndex" | "spaceGeneration" | "isRequested" | "cyclesMax" | "requestedAtMs"
>;

/** What the background thread says of a run. */
export type RunNews = Partial<
  Pick<
    ConsolidationRun,
    "state" | "reason" | "startedAtMs" | "endedAtMs" | "pausedMs" | "unconsolidated" | "figures"
  >
>;

/** Whether a run is over, and says what it did. */
export function hasEnded({ state }: ConsolidationRun): boolean {
  return state === "done" || state === "failed";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function makeConsolidationBoard(): SharedArrayBuffer {
  return new SharedArrayBuffer(BOARD_BYTES);
}

export class ConsolidationBoard {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    assert(FIGURE_NAMES.length <= RUN_FIGURES_MAX, "a run has room for every figure");
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#numbers = new Float64Array(buffer);
  }

  /** Puts a run on the board, in state `waiting`. @returns its id; undefined where every place is waiting or busy */
  claim(wish: RunWish): number | undefined {
    for (let tries = 0; tries < RUN_COUNT; tries++) {
      const place = this.#oldestEnded();
      if (place === undefined) return undefined;
      const { at, state } = place;
      if (Atomics.compareExchange(this.#words, at + RUN_WORD.state, state, RUN_STATE.claimed) !== state)
        continue;
      const id = Atomics.add(this.#words, 0, 1) + 1;
      this.#fill(at, id, wish);
      Atomics.store(this.#words, at + RUN_WORD.state, RUN_STATE.waiting);
      return id;
    }
    return undefined;
  }

  /** Tells how a run goes on. Only the background thread does, of runs that wait or go on. */
  tell(id: number, news: RunNews): void {
    const at = this.#find(id);
    if (at === undefined) return;
    const numbersAt = at / 2 + RUN_NUMBERS_AT / 8;
    for (const name of ["startedAtMs", "endedAtMs", "pausedMs", "unconsolidated"] as const) {
      if (news[name] !== undefined) this.#numbers[numbersAt + RUN_NUMBER[name]] = news[name];
    }
    if (news.figures !== undefined) {
      for (const [i, name] of FIGURE_NAMES.entries())
        this.#numbers[numbersAt + RUN_NUMBER.figures + i] = news.figures[name];
    }
    if (news.reason !== undefined) this.#words[at + RUN_WORD.reason] = RUN_REASONS.indexOf(news.reason);
    if (news.state !== undefined) Atomics.store(this.#words, at + RUN_WORD.state, RUN_STATE[news.state]);
  }

  /** The run of that id while the board holds it. */
  run(id: number): ConsolidationRun | undefined {
    const at = this.#find(id);
    return at === undefined ? undefined : this.#copy(at);
  }

  /** What the board holds, the newest first. */
  runs(): ConsolidationRun[] {
    const runs: ConsolidationRun[] = [];
    for (let place = 0; place < RUN_COUNT; place++) {
      const run = this.#copy(wordOf(place));
      if (run !== undefined) runs.push(run);
    }
    return runs.sort((a, b) => b.id - a.id);
  }

  /** The run that has waited longest for the background thread. */
  nextWaiting(): ConsolidationRun | undefined {
    return this.runs().findLast(({ state }) => state === "waiting");
  }

  #oldestEnded(): { at: number; state: number } | undefined {
    let found: { at: number; state: number; id: number } | undefined;
    for (let place = 0; place < RUN_COUNT; place++) {
      const at = wordOf(place);
      const state = Atomics.load(this.#words, at + RUN_WORD.state);
      if (state === RUN_STATE.free) return { at, state };
      if (state !== RUN_STATE.done && state !== RUN_STATE.failed) continue;
      const id = this.#words[at + RUN_WORD.id]!;
      if (found === undefined || id < found.id) found = { at, state, id };
    }
    return found;
  }

  #fill(at: number, id: number, wish: RunWish): void {
    const words = this.#words;
    words[at + RUN_WORD.id] = id;
    words[at + RUN_WORD.spaceIndex] = wish.spaceIndex;
    words[at + RUN_WORD.spaceGeneration] = wish.spaceGeneration;
    words[at + RUN_WORD.requested] = wish.isRequested ? 1 : 0;
    words[at + RUN_WORD.cyclesMax] = wish.cyclesMax;
    words[at + RUN_WORD.reason] = 0;
    const numbersAt = at / 2 + RUN_NUMBERS_AT / 8;
    this.#numbers.fill(0, numbersAt, numbersAt + RUN_NUMBER.figures + RUN_FIGURES_MAX);
    this.#numbers[numbersAt + RUN_NUMBER.requestedAtMs] = wish.requestedAtMs;
    const name = encoder.encode(wish.space).subarray(0, RUN_NAME.bytes - 1);
    this.#bytes[at * 4 + RUN_NAME.at] = name.byteLength;
    this.#bytes.set(name, at * 4 + RUN_NAME.at + 1);
  }

  #find(id: number): number | undefined {
    for (let place = 0; place < RUN_COUNT; place++) {
      const at = wordOf(place);
      const isKnown = Atomics.load(this.#words, at + RUN_WORD.state) > RUN_STATE.claimed;
      if (isKnown && this.#words[at + RUN_WORD.id] === id) return at;
    }
    return undefined;
  }

  #copy(at: number): ConsolidationRun | undefined {
    const words = this.#words;
    const state = Atomics.load(words, at + RUN_WORD.state);
    if (state <= RUN_STATE.claimed) return undefined;
    const id = words[at + RUN_WORD.id]!;
    const numbersAt = at / 2 + RUN_NUMBERS_AT / 8;
    const number = (name: keyof typeof RUN_NUMBER): number => this.#numbers[numbersAt + RUN_NUMBER[name]]!;
    const figures = noFigures();
    for (const [i, name] of FIGURE_NAMES.entries())
      figures[name] = this.#numbers[numbersAt + RUN_NUMBER.figures + i]!;
    const nameAt = at * 4 + RUN_NAME.at;
    // TextDecoder refuses shared memory, so the few bytes are copied.
    const space = decoder.decode(this.#bytes.slice(nameAt + 1, nameAt + 1 + this.#bytes[nameAt]!));
    const run = {
      id,
      space,
      spaceIndex: words[at + RUN_WORD.spaceIndex]!,
      spaceGeneration: words[at + RUN_WORD.spaceGeneration]! >>> 0,
      state: RUN_STATES[state]!,
      isRequested: words[at + RUN_WORD.requested] === 1,
      cyclesMax: words[at + RUN_WORD.cyclesMax]!,
      reason: RUN_REASONS[words[at + RUN_WORD.reason]!] ?? "",
      requestedAtMs: number("requestedAtMs"),
      startedAtMs: number("startedAtMs"),
      endedAtMs: number("endedAtMs"),
      pausedMs: number("pausedMs"),
      unconsolidated: number("unconsolidated"),
      figures,
    };
    // Somebody took the place meanwhile: the run is not on the board any more.
    const isSame =
      Atomics.load(words, at + RUN_WORD.state) > RUN_STATE.claimed && words[at + RUN_WORD.id] === id;
    return isSame ? run : undefined;
  }
}

/** Word at which a run begins. */
function wordOf(place: number): number {
  return (BOARD_HEAD_BYTES + place * RUN_BYTES) / 4;
}
