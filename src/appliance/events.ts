/** The event rings of the threads: one for each, numbered like them (`thread.ts`), and the last one for main. */

import type { Settings } from "../config/schema.ts";
import { makeEventRing } from "../shm/event-ring.ts";
import { type EventMemory, EventWriter, makeEventMemory } from "../shm/event-writer.ts";
import type { Boot } from "./boot.ts";
import type { LogSink } from "./log-sink.ts";
import { threadIndex } from "./thread.ts";

export function layEventRings(
  counts: Pick<Boot, "apiWorkerCount" | "writerCount" | "indexerCount">,
  backgroundCount: number,
): EventMemory {
  const firstBackground = threadIndex({ role: "background", ordinal: 0, ...counts });
  return makeEventMemory(firstBackground + backgroundCount + 1);
}

/** Rings for the spans of sampled requests, one for each API worker. */
export function laySpanRings(
  { apiWorkerCount }: Pick<Boot, "apiWorkerCount">,
  settings: Settings,
): SharedArrayBuffer[] {
  return settings.otlp.endpoint === "" ? [] : Array.from({ length: apiWorkerCount }, makeEventRing);
}

/** Where this thread tells of its events. */
export function openEvents(boot: Boot): EventWriter {
  return new EventWriter(boot.shared.events, threadIndex(boot), Date.now);
}

export function openMainEvents(memory: EventMemory): EventWriter {
  return new EventWriter(memory, memory.rings.length - 1, Date.now);
}

/** A log whose lines are events as well, whatever level is written down. */
export function announcedLog(log: LogSink, events: EventWriter): LogSink {
  return (level, text, fields = {}) => {
    log(level, text, fields);
    events.emit("log", { level, message: text, ...fields });
  };
}
