/**
 * Events: what threads tell whoever listens, as it happens. Kinds, what each carries, and the bytes of a ring.
 *
 * One ring per thread, in a SharedArrayBuffer, and one more for main; `shm/event-ring.ts` says who may do what.
 *
 *   byte 0      4          8           64                  64 + 4 × EVENT_INDEX_COUNT
 *        | head | reserved | too large | index | … | index | event | event | … | (unused) | event |
 *
 *   head       events written so far, u32, wrapping
 *   reserved   units of 8 bytes from the beginning of time that are written or about to be, u32, wrapping
 *   too large  events that were longer than EVENT_BYTES_MAX and dropped, u32
 *   index      of event n, at place n modulo EVENT_INDEX_COUNT: the unit at which it begins, u32
 *
 *   an event, at a multiple of 8:  | kind u32 | bytes u32 | ms since the epoch f64 | JSON, UTF-8, padded to 8 |
 */
import { CACHE_LINE_BYTES } from "./cache-line.ts";

export const EVENT_CODE = {
  formed: 0,
  recalled: 1,
  consolidated: 2,
  forgotten: 3,
  log: 4,
  alert: 5,
} as const;
export type EventKind = keyof typeof EVENT_CODE;
/** By their codes. */
export const EVENT_KINDS = Object.keys(EVENT_CODE) as readonly EventKind[];

/** A memory was stored, or replaced one of the same id. */
export type FormedEvent = {
  readonly space: string;
  readonly id: string;
  readonly outcome: "stored" | "replaced";
};
/** A recall was answered. `memories` are the best ones, `count` is how many there were. */
export type RecalledEvent = {
  readonly space: string;
  readonly mode: string;
  readonly count: number;
  readonly memories: readonly { readonly id: string; readonly score: number }[];
  readonly took_ms: number;
};
/** Memories became part of stable knowledge. `id` is that of the concept, `memories` those that formed it. */
export type ConsolidatedEvent = {
  readonly space: string;
  readonly id: string;
  readonly memories: readonly string[];
};
/** A memory is gone: because somebody asked, or because it had faded. */
export type ForgottenEvent = {
  readonly space: string;
  readonly id: string;
  readonly reason: "asked" | "faded";
};
export type LogEvent = {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly message: string;
  readonly [field: string]: unknown;
};
/** An alert changed its state. */
export type AlertEvent = {
  readonly name: string;
  readonly state: string;
  readonly severity: string;
  readonly [field: string]: unknown;
};

export type EventFields = {
  readonly formed: FormedEvent;
  readonly recalled: RecalledEvent;
  readonly consolidated: ConsolidatedEvent;
  readonly forgotten: ForgottenEvent;
  readonly log: LogEvent;
  readonly alert: AlertEvent;
};

/** Kinds that are few and written whoever listens, so that a listener can ask for what was before it came. */
export const EVENT_KINDS_KEPT: readonly EventKind[] = ["log", "alert"];

export const EVENT_RING_WORD = { head: 0, reserved: 1, tooLarge: 2 } as const;
export const EVENT_RING_HEAD_BYTES = CACHE_LINE_BYTES;
/** A power of two. A reader may be this many events behind, less one. */
export const EVENT_INDEX_COUNT = 8192;
/** A power of two. */
export const EVENT_RING_BYTES: number = 1024 * 1024;
export const EVENT_HEAD_BYTES = 16;
/** Longest JSON of an event; a sixteenth of the ring. */
export const EVENT_BYTES_MAX: number = EVENT_RING_BYTES / 16;
