/**
 * The events of all threads, read by one thread for all who listen through it.
 *
 *   rings ──turn, 40 times a second──▶ in the order of their times ──▶ listeners, each with its kinds
 *
 * A turn may take TURN_MS_MAX; what is left waits in the rings, and what is overwritten there meanwhile is lost and
 * told to every listener. So the thread, which serves requests as well, gives at most a twenty-fifth of itself.
 *
 * Every event has an id that says how far each ring had been read with it: `<start of the process>-<time of the
 * event>-<positions>`, in base 36. A listener that comes back with the last id it saw, to whichever thread, is first given what it missed.
 * Kinds are written a while longer after the last listener has gone, so that it can come back.
 */
import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { EVENT_CODE, EVENT_KINDS, type EventKind } from "../layout/event.ts";
import type { EventRingReader } from "../shm/event-ring.ts";
import { type EventMemory, listenTo, readersOf, writtenSince } from "../shm/event-writer.ts";

const TURN_EVERY_MS = 25;
const TURN_MS_MAX = 1;
/** Events read from one ring before the next one has its turn. */
const EVENTS_IN_A_ROW = 64;
/** How long a listener that went away may take to come back. */
export const RETURN_MS = 60_000;

/** An event on its way to listeners. Parsed and described when the first of them asks. */
export class SeenEvent {
  readonly kind: EventKind;
  readonly timeMs: number;
  /** a JSON object */
  readonly text: string;
  #id: () => string;
  #idText: string | undefined;
  #fields: Readonly<Record<string, unknown>> | undefined;

  constructor(kind: EventKind, timeMs: number, text: string, id: () => string) {
    this.kind = kind;
    this.timeMs = timeMs;
    this.text = text;
    this.#id = id;
  }

  /** Only while the listener is told of it. */
  get id(): string {
    this.#idText ??= this.#id();
    return this.#idText;
  }

  get fields(): Readonly<Record<string, unknown>> {
    this.#fields ??= JSON.parse(this.text) as Record<string, unknown>;
    return this.#fields;
  }
}

/** Why events are missing, and how many where it is known. */
export type Missing =
  | { readonly why: "overwritten"; readonly count: number }
  /** the process started anew since */
  | { readonly why: "restarted" }
  /** nobody listened to some of the kinds meanwhile */
  | { readonly why: "not-kept" };

export type EventListener = {
  readonly kinds: readonly EventKind[];
  readonly take: (event: SeenEvent) => void;
  readonly miss: (missing: Missing) => void;
  /** the id of the last event it saw; from now on where absent */
  readonly lastId?: string | undefined;
};

/** An event as it was read. */
type Raw = {
  readonly ring: number;
  readonly position: number;
  readonly code: number;
  readonly timeMs: number;
  readonly text: string;
};

/** A listener, and how far each ring was told to it before it came here. */
type Seat = { readonly listener: EventListener; readonly told: readonly number[] | undefined };

export class EventFeed {
  readonly #memory: EventMemory;
  readonly #startedAtMs: number;
  readonly #clock: Clock;
  readonly #readers: readonly EventRingReader[];
  readonly #seats = new Set<Seat>();
  readonly #returning = new Set<() => void>();
  #timer: Timer | undefined;
  #firstRing = 0;

  /** @param startedAtMs of the process, ms since the epoch */
  constructor(memory: EventMemory, startedAtMs: number, clock: Clock) {
    this.#memory = memory;
    this.#startedAtMs = startedAtMs;
    this.#clock = clock;
    this.#readers = readersOf(memory);
  }

  /** @returns what ends it */
  listen(listener: EventListener): () => void {
    const leave = listenTo(this.#memory, listener.kinds, this.#clock.wallMs());
    if (this.#seats.size === 0) {
      for (const reader of this.#readers) reader.skipAll();
      this.#timer = setInterval(() => this.turn(TURN_MS_MAX), TURN_EVERY_MS);
    }
    const { lastId } = listener;
    const told = lastId === undefined ? undefined : this.#catchUp(listener, lastId);
    const seat = { listener, told };
    this.#seats.add(seat);
    return () => {
      if (!this.#seats.delete(seat)) return;
      if (this.#seats.size === 0) clearInterval(this.#timer);
      this.#leaveLater(leave);
    };
  }

  /** Tells listeners of what has happened since. Called by itself while there are any. */
  turn(msMax: number): void {
    const seats = [...this.#seats];
    const kinds = maskOf(seats.flatMap(({ listener }) => listener.kinds));
    const positions = this.#readers.map((reader) => reader.position);
    const events = this.#readFor(msMax, kinds);
    let lost = 0;
    for (const reader of this.#readers) {
      lost += reader.lost;
      reader.lost = 0;
    }
    if (lost > 0) for (const { listener } of seats) listener.miss({ why: "overwritten", count: lost });
    this.#tell(events, positions, seats);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#seats.clear();
    for (const leave of this.#returning) leave();
  }

  /** What the rings hold, ring by ring in turns, until there is no more or the time is over. */
  #readFor(msMax: number, kinds: number): Raw[] {
    const until = this.#clock.nowNs() + msMax * 1e6;
    const events: Raw[] = [];
    this.#firstRing = (this.#firstRing + 1) % this.#readers.length;
    let isMore = true;
    while (isMore && this.#clock.nowNs() <= until) {
      isMore = false;
      for (let i = 0; i < this.#readers.length; i++) {
        const ring = (this.#firstRing + i) % this.#readers.length;
        const reader = this.#readers[ring]!;
        let count = 0;
        while (count < EVENTS_IN_A_ROW && reader.read(kinds)) {
          events.push(rawOf(reader, ring));
          count += 1;
        }
        if (count === EVENTS_IN_A_ROW) isMore = true;
      }
    }
    return events;
  }

  /** @param positions of all rings before these events; moved along */
  #tell(events: readonly Raw[], positions: number[], seats: readonly Seat[]): void {
    for (const { ring, position, code, timeMs, text } of inOrder(events)) {
      positions[ring] = (position + 1) >>> 0;
      const kind = EVENT_KINDS[code];
      assert(kind !== undefined, "an event is of a kind there is");
      const event = new SeenEvent(kind, timeMs, text, () => this.#idOf(timeMs, positions));
      for (const { listener, told } of seats) {
        if (!listener.kinds.includes(kind)) continue;
        if (told === undefined || !isBehind(position, told[ring]!)) listener.take(event);
      }
    }
  }

  /** Tells a listener what lies between its last event and where this feed stands. @returns what it was told before */
  #catchUp(listener: EventListener, lastId: string): readonly number[] | undefined {
    const last = this.#placeOf(lastId);
    if (last === undefined) {
      listener.miss({ why: "restarted" });
      return undefined;
    }
    if (writtenSince(this.#memory, listener.kinds) > last.timeMs) listener.miss({ why: "not-kept" });
    const kinds = maskOf(listener.kinds);
    const events: Raw[] = [];
    let lost = 0;
    for (const [ring, reader] of readersOf(this.#memory).entries()) {
      const until = this.#readers[ring]!.position;
      if (!reader.seek(last.positions[ring]!)) continue;
      while (isBehind(reader.position, until) && reader.read(kinds)) {
        const raw = rawOf(reader, ring);
        if (isBehind(raw.position, until)) events.push(raw);
      }
      lost += reader.lost;
    }
    if (lost > 0) listener.miss({ why: "overwritten", count: lost });
    this.#tell(events, [...last.positions], [{ listener, told: undefined }]);
    return last.positions;
  }

  #leaveLater(leave: () => void): void {
    const now = (): void => {
      clearTimeout(timer);
      this.#returning.delete(now);
      leave();
    };
    const timer = setTimeout(now, RETURN_MS);
    timer.unref();
    this.#returning.add(now);
  }

  #idOf(timeMs: number, positions: readonly number[]): string {
    const parts = [this.#startedAtMs, timeMs].map((ms) => Math.round(ms).toString(36));
    return `${parts.join("-")}-${positions.map((position) => position.toString(36)).join(".")}`;
  }

  /** @returns undefined for an id of another start */
  #placeOf(id: string): { readonly timeMs: number; readonly positions: readonly number[] } | undefined {
    const [start, time = "", list = ""] = id.split("-");
    if (start !== this.#startedAtMs.toString(36)) return undefined;
    const positions = list.split(".").map((text) => Number.parseInt(text, 36));
    if (positions.length !== this.#readers.length) return undefined;
    return { timeMs: Number.parseInt(time, 36), positions };
  }
}

/** Whether an id is one that a feed could have given. */
export function isEventId(text: string): boolean {
  return /^[0-9a-z]{1,12}-[0-9a-z]{1,12}-[0-9a-z]{1,7}(\.[0-9a-z]{1,7})*$/.test(text);
}

/** By time over all rings; those of one ring stay in their order, whatever the clock did. */
function inOrder(events: readonly Raw[]): readonly Raw[] {
  const latest = new Map<number, number>();
  const timed = events.map((event) => {
    const timeMs = Math.max(event.timeMs, latest.get(event.ring) ?? 0);
    latest.set(event.ring, timeMs);
    return { event, timeMs };
  });
  return timed.sort((a, b) => a.timeMs - b.timeMs).map(({ event }) => event);
}

function rawOf(reader: EventRingReader, ring: number): Raw {
  const position = (reader.position - 1) >>> 0;
  return { ring, position, code: reader.kind, timeMs: reader.timeMs, text: reader.text() };
}

function maskOf(kinds: readonly EventKind[]): number {
  return kinds.reduce((mask, kind) => mask | (1 << EVENT_CODE[kind]), 0);
}

function isBehind(position: number, other: number): boolean {
  return ((position - other) | 0) < 0;
}
