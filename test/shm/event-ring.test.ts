import { expect, test } from "bun:test";
import { EVENT_BYTES_MAX, EVENT_CODE, EVENT_INDEX_COUNT, type FormedEvent } from "../../src/layout/event.ts";
import { EventRingReader, EventRingWriter, makeEventRing } from "../../src/shm/event-ring.ts";
import { EventWriter, listenTo, makeEventMemory, readersOf } from "../../src/shm/event-writer.ts";
import { type EventJob, idOf } from "./workers/event-teller.ts";

const FORMED = 1 << EVENT_CODE.formed;
const ALL = -1;

test("EventRingReader sees every event of several threads once and whole, and counts exactly those it missed", async () => {
  const memory = makeEventMemory(3);
  listenTo(memory, ["formed"], Date.now());
  const readers = readersOf(memory);
  // The last one is in no hurry with anything, so that it outruns the reader.
  const jobs = [
    { eventCount: 30_000, restEvery: 500 },
    { eventCount: 30_000, restEvery: 500 },
    { eventCount: 400_000, restEvery: Number.MAX_SAFE_INTEGER },
  ];
  let running = jobs.length;
  const failures: string[] = [];
  const workers = jobs.map((job, ringIndex) => {
    const worker = new Worker(new URL("./workers/event-teller.ts", import.meta.url));
    worker.onmessage = () => {
      running -= 1;
    };
    worker.onerror = (event) => failures.push(event.message);
    worker.postMessage({ memory, ringIndex, ...job } satisfies EventJob);
    return worker;
  });

  const seen = jobs.map(() => 0);
  const wrong: string[] = [];
  const readAll = (): void => {
    for (const [ringIndex, reader] of readers.entries()) {
      while (reader.read(FORMED)) {
        // What was read and what was lost before it say which event this must be.
        const expected = seen[ringIndex]! + reader.lost;
        const { id } = JSON.parse(reader.text()) as FormedEvent;
        if (id !== idOf(ringIndex, expected) || reader.timeMs !== 1000 + ringIndex) {
          wrong.push(`ring ${ringIndex}: ${id.slice(0, 20)} where ${expected} was to come`);
        }
        seen[ringIndex]! += 1;
        if (ringIndex === 2 && seen[2]! % 4096 === 0) Bun.sleepSync(2);
      }
    }
  };
  const giveUpAt = performance.now() + 50_000;
  while (running > 0 && failures.length === 0 && performance.now() < giveUpAt) {
    readAll();
    await Bun.sleep(0);
  }
  readAll();
  for (const worker of workers) worker.terminate();
  expect(failures).toEqual([]);
  expect(running).toBe(0);
  expect(wrong.slice(0, 5)).toEqual([]);
  for (const [ringIndex, { eventCount }] of jobs.entries()) {
    expect(seen[ringIndex]! + readers[ringIndex]!.lost, `ring ${ringIndex}`).toBe(eventCount);
  }
  expect(readers[2]!.lost).toBeGreaterThan(0);
  expect(seen[2]).toBeGreaterThan(0);
}, 60_000);

test("EventRingReader.seek resumes where another reader was, and loses what is no longer there", () => {
  const memory = makeEventMemory(1);
  listenTo(memory, ["formed"], Date.now());
  const events = new EventWriter(memory, 0, Date.now);
  const tell = (count: number, from: number) => {
    for (let i = from; i < from + count; i++) {
      events.emit("formed", { space: "s", id: String(i), outcome: "stored" });
    }
  };
  tell(10, 0);
  const first = readersOf(memory)[0]!;
  expect(first.read(ALL)).toBe(false);
  tell(5, 10);
  first.read(ALL);
  const left = first.position;

  const second = readersOf(memory)[0]!;
  expect(second.seek(left)).toBe(true);
  expect(second.read(ALL)).toBe(true);
  expect(JSON.parse(second.text()).id).toBe("11");
  expect(second.lost).toBe(0);
  expect(second.seek(left + 100)).toBe(false);

  tell(EVENT_INDEX_COUNT, 15);
  expect(second.seek(left)).toBe(true);
  expect(second.read(ALL)).toBe(true);
  const next = Number(JSON.parse(second.text()).id);
  expect(second.lost).toBe(next - 11);
  // A little less than the index holds, since the place being written is nobody's to read.
  expect(15 + EVENT_INDEX_COUNT - next).toBe(EVENT_INDEX_COUNT - 1);
});

test("EventRingReader.rewind goes back as far as the bytes reach, also where the index reaches further", () => {
  const shared = makeEventRing();
  const writer = new EventRingWriter(shared);
  const reader = new EventRingReader(shared);
  reader.rewind();
  expect(reader.read(ALL)).toBe(false);
  const body = "x".repeat(60_000);
  for (let i = 0; i < 100; i++) writer.put(EVENT_CODE.log, i, body);
  reader.rewind();
  const times: number[] = [];
  while (reader.read(ALL)) times.push(reader.timeMs);
  expect(times.length).toBeGreaterThan(14);
  expect(times).toEqual(Array.from({ length: times.length }, (_, i) => 100 - times.length + i));
  expect(reader.lost).toBe(0);
});

test("EventRingWriter.put drops and counts what is too large, and goes on", () => {
  const shared = makeEventRing();
  const writer = new EventRingWriter(shared);
  const reader = new EventRingReader(shared);
  writer.put(EVENT_CODE.log, 1, "é".repeat(EVENT_BYTES_MAX / 2 + 1));
  writer.put(EVENT_CODE.log, 2, "é".repeat(EVENT_BYTES_MAX / 2));
  expect(reader.tooLarge).toBe(1);
  expect(reader.read(ALL)).toBe(true);
  expect(reader.timeMs).toBe(2);
  expect(reader.text()).toBe("é".repeat(EVENT_BYTES_MAX / 2));
  expect(reader.read(ALL)).toBe(false);
});

test("EventWriter.emit writes only what somebody listens to; log lines and alerts are always kept", () => {
  const memory = makeEventMemory(1);
  const events = new EventWriter(memory, 0, () => 5);
  const [reader] = readersOf(memory);
  const forgotten = { space: "s", id: "a", reason: "asked" } as const;
  events.emit("forgotten", forgotten);
  expect(events.wants("forgotten")).toBe(false);
  expect(reader!.read(ALL)).toBe(false);

  const leave = listenTo(memory, ["forgotten", "formed"], Date.now());
  const leaveToo = listenTo(memory, ["forgotten"], Date.now());
  leave();
  expect(events.wants("forgotten")).toBe(true);
  expect(events.wants("formed")).toBe(false);
  events.emit("forgotten", forgotten);
  leaveToo();
  events.emit("forgotten", forgotten);
  events.emit("log", { level: "info", message: "m" });
  events.emit("alert", { name: "a", state: "firing", severity: "warning" });

  const kinds: number[] = [];
  while (reader!.read(ALL)) kinds.push(reader!.kind);
  expect(kinds).toEqual([EVENT_CODE.forgotten, EVENT_CODE.log, EVENT_CODE.alert]);
});

test("EventRingReader.read passes over kinds that were not asked for", () => {
  const shared = makeEventRing();
  const writer = new EventRingWriter(shared);
  const reader = new EventRingReader(shared);
  for (let i = 0; i < 100; i++) writer.put(i % 5, i, "{}");
  const times: number[] = [];
  while (reader.read(1 << 3)) times.push(reader.timeMs);
  expect(times).toEqual(Array.from({ length: 20 }, (_, i) => 3 + 5 * i));
});
