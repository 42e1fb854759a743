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
  readonly listeners: SharedArrayBuffer;
};

export function makeEventMemory(ringCount: number): EventMemory {
  const listeners = new SharedArrayBuffer(EVENT_KINDS.length * 4);
  const counts = new Int32Array(listeners);
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
    this.#listeners = new Int32Array(memory.listeners);
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

/** Says that somebody listens to `kinds`. @returns what says that they are gone */
export function listenTo(memory: EventMemory, kinds: readonly EventKind[]): () => void {
  const counts = new Int32Array(memory.listeners);
  for (const kind of kinds) Atomics.add(counts, EVENT_CODE[kind], 1);
  let isListening = true;
  return () => {
    assert(isListening, "a listener leaves once");
    isListening = false;
    for (const kind of kinds) Atomics.sub(counts, EVENT_CODE[kind], 1);
  };
}

/** Readers of all rings, each behind its newest event. */
export function readersOf(memory: EventMemory): EventRingReader[] {
  return memory.rings.map((ring) => new EventRingReader(ring));
}
