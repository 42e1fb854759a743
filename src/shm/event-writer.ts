/**
 * What a thread tells whoever listens: `emit(kind, fields)`, into the ring of its own.
 *
 * Most of the time nobody listens, and then an event costs one load: the number of listeners to each kind is
 * shared by all threads. It is read plainly, so that a listener may miss what happens in the nanoseconds in which
 * it comes. A kind that is always kept has a listener from the start.
 */
import { assert } from "../base/assert.ts";
import {
  EVENT_CODE,
  EVENT_KINDS,
  EVENT_KINDS_KEPT,
  type EventFields,
  type EventKind,
} from "../layout/event.ts";
import { EventRingReader, EventRingWriter, makeEventRing } from "./event-ring.ts";

/** The rings of all threads, and who listens; plain, to be handed to threads. */
export type EventMemory = {
  readonly rings: readonly SharedArrayBuffer[];
  /** for each kind how many listen, i32; behind them since when, without a gap, ms since the epoch, f64 */
  readonly listeners: SharedArrayBuffer;
};

/** Where the times begin: behind the counts, at a multiple of 8. */
const SINCE_AT = Math.ceil(EVENT_KINDS.length / 2) * 8;

export function makeEventMemory(ringCount: number): EventMemory {
  const listeners = new SharedArrayBuffer(SINCE_AT + EVENT_KINDS.length * 8);
  const counts = new Int32Array(listeners, 0, EVENT_KINDS.length);
  for (const kind of EVENT_KINDS_KEPT) counts[EVENT_CODE[kind]] = 1;
  return { rings: Array.from({ length: ringCount }, makeEventRing), listeners };
}

/** What a part of the program is handed to tell of its events. */
export type EmitEvent = <K extends EventKind>(kind: K, fields: EventFields[K]) => void;

export class EventWriter {
  readonly #ring: EventRingWriter;
  readonly #listeners: Int32Array;
  readonly #nowMs: () => number;

  /** @param ringIndex of the thread @param nowMs ms since the epoch */
  constructor(memory: EventMemory, ringIndex: number, nowMs: () => number) {
    const ring = memory.rings[ringIndex];
    assert(ring !== undefined, "each thread has a ring");
    this.#ring = new EventRingWriter(ring);
    this.#listeners = new Int32Array(memory.listeners, 0, EVENT_KINDS.length);
    this.#nowMs = nowMs;
  }

  /** Whether anybody listens. Ask before gathering fields that cost something. */
  wants(kind: EventKind): boolean {
    return this.#listeners[EVENT_CODE[kind]]! > 0;
  }

  emit<K extends EventKind>(kind: K, fields: EventFields[K]): void {
    const code = EVENT_CODE[kind];
    if (this.#listeners[code]! > 0) this.#ring.put(code, this.#nowMs(), JSON.stringify(fields));
  }
}

/** Says that somebody listens to `kinds`. @param nowMs since the epoch @returns what says that they are gone */
export function listenTo(memory: EventMemory, kinds: readonly EventKind[], nowMs: number): () => void {
  const counts = new Int32Array(memory.listeners, 0, EVENT_KINDS.length);
  const since = new Float64Array(memory.listeners, SINCE_AT);
  for (const kind of kinds) {
    const code = EVENT_CODE[kind];
    if (Atomics.add(counts, code, 1) === 0) since[code] = nowMs;
  }
  let isListening = true;
  return () => {
    assert(isListening, "a listener leaves once");
    isListening = false;
    for (const kind of kinds) Atomics.sub(counts, EVENT_CODE[kind], 1);
  };
}

/** Since when all of `kinds` are written, ms since the epoch; somebody has to listen to them. */
export function writtenSince(memory: EventMemory, kinds: readonly EventKind[]): number {
  const since = new Float64Array(memory.listeners, SINCE_AT);
  return Math.max(...kinds.map((kind) => since[EVENT_CODE[kind]]!));
}

/** Readers of all rings, each behind its newest event. */
export function readersOf(memory: EventMemory): EventRingReader[] {
  return memory.rings.map((ring) => new EventRingReader(ring));
}
