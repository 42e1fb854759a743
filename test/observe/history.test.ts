/** The history keeps what it was given, as far back as its rings reach, for readers in any thread and over a restart. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import { History } from "../../src/observe/history.ts";
import { packColumn, unpackColumn } from "../../src/observe/history-column.ts";
import { loadHistory, saveHistory } from "../../src/observe/history-file.ts";
import { type HistoryShape, makeHistoryState } from "../../src/observe/history-layout.ts";
import { HistoryReader } from "../../src/observe/history-reader.ts";
import { makeMatcher } from "../../src/observe/promql/matcher.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";
import { ListSource, SMALL_SHAPE, valueFor } from "./history-fixture.ts";

const START_MS = 1_700_000_000_000;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function openHistory(shape: HistoryShape = SMALL_SHAPE): { history: History; reader: HistoryReader } {
  const state = makeHistoryState(shape);
  const history = new History(shape, state, { hugePages: "off" });
  cleanups.push(() => history.close());
  return { history, reader: new HistoryReader(shape, state) };
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "engram-history-"));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const named = (name: string) => [makeMatcher("__name__", "=", name)];

describe("packColumn", () => {
  test("packColumn gives back every kind of value, bit for bit", () => {
    const random = new Random(11);
    const kinds: ((i: number) => number)[] = [
      () => 5,
      (i) => i * 3,
      (i) => 2 ** 53 - 1 - i * 2 ** 40,
      (i) => (i % 2 === 0 ? -(2 ** 53 - 1) : 2 ** 53 - 1),
      () => random.float() * 100,
      () => random.gaussian() * 1e300,
      () => Number.NaN,
      (i) => [Number.POSITIVE_INFINITY, -0, 0, Number.NEGATIVE_INFINITY, 5e-324][i % 5]!,
      () => Math.floor(random.float() * 10),
    ];
    for (const missing of [0, 0.1, 0.9]) {
      for (const kind of kinds) {
        for (const count of [1, 2, 7, 8, 60, 120]) {
          const values = Float64Array.from({ length: count }, (_, i) =>
            random.float() < missing ? Number.NaN : kind(i),
          );
          const bytes = new Uint8Array(count * 9 + 40).fill(0xa5);
          const length = packColumn(values, count, bytes, 3);
          const unpacked = new Float64Array(count + 2);
          unpackColumn(bytes, 3, 3 + length, unpacked, 1, count);
          const got = Array.from(unpacked.subarray(1, count + 1));
          expect(got.every((value, i) => Object.is(value, values[i]))).toBe(true);
        }
      }
    }
  });

  test("packColumn takes little for what stands still or counts", () => {
    const bytes = new Uint8Array(2000);
    expect(packColumn(new Float64Array(120).fill(7), 120, bytes, 0)).toBe(9);
    expect(packColumn(new Float64Array(120).fill(Number.NaN), 120, bytes, 0)).toBe(0);
    const counting = Float64Array.from({ length: 120 }, (_, i) => 1e9 + i * 50);
    expect(packColumn(counting, 120, bytes, 0)).toBe(9 + 119);
  });

  test("unpackColumn of random bytes ends, whatever they are", () => {
    const random = new Random(12);
    const values = new Float64Array(120);
    for (let round = 0; round < 2000; round++) {
      const bytes = random.fill(new Uint8Array(random.below(300) + 1));
      unpackColumn(bytes, 0, bytes.length, values, 0, 120);
    }
  });
});

describe("History", () => {
  test("a reader finds what was recorded, in the finest ring that reaches back far enough", () => {
    const { history, reader } = openHistory();
    const source = new ListSource();
    source.add("counter", { kind: "a" });
    source.add("gauge");
    history.open();
    for (let tick = 0; tick <= 300; tick++) {
      source.values.set([tick * 2, Math.sin(tick)]);
      expect(history.record(START_MS + tick * 1000, source)).toBe(true);
    }
    const now = START_MS + 300_000;
    const [fine] = reader.select(named("counter"), now - 15_000, now);
    expect(fine!.labels.toJSON()).toEqual({ __name__: "counter", kind: "a" });
    expect(Array.from(fine!.times)).toEqual(Array.from({ length: 16 }, (_, i) => now - 15_000 + i * 1000));
    expect(fine!.values.at(-1)).toBe(600);
    const [coarse] = reader.select(named("gauge"), now - 200_000, now);
    expect(Array.from(coarse!.times)).toEqual(
      Array.from({ length: 21 }, (_, i) => now - 200_000 + i * 10_000),
    );
    expect(coarse!.values[0]).toBe(Math.sin(100));
    expect(reader.select(named("nothing"), 0, now)).toEqual([]);
  });

  test("a series that is not there any more is known to be gone, and comes back", () => {
    const { history, reader } = openHistory();
    const source = new ListSource();
    const index = source.add("fleeting");
    source.add("steady");
    history.open();
    for (let tick = 0; tick < 12; tick++) {
      source.values.fill(tick);
      if (tick >= 4 && tick < 9) source.values[index] = Number.NaN;
      history.record(START_MS + tick * 1000, source);
    }
    const [found] = reader.select(named("fleeting"), START_MS, START_MS + 12_000);
    expect(Array.from(found!.values)).toEqual([0, 1, 2, 3, 9, 10, 11]);
    expect(Array.from(found!.goneAt!)).toEqual([START_MS + 4000]);
  });

  test("a clock that is set back leaves ticks out, and says so", () => {
    const { history, reader } = openHistory();
    const source = new ListSource();
    source.add("only");
    history.open();
    source.values[0] = 1;
    expect(history.record(START_MS + 5000, source)).toBe(true);
    expect(history.record(START_MS + 1000, source)).toBe(false);
    expect(history.record(START_MS + 6000, source)).toBe(true);
    expect(reader.select(named("only"), 0, START_MS + 9000)[0]!.times.length).toBe(2);
  });

  test("series beyond the most there may be are left out and counted", () => {
    const { history, reader } = openHistory();
    const source = new ListSource();
    for (let index = 0; index < 30; index++) source.add("many", { index: String(index) });
    source.values.fill(1);
    history.open();
    history.record(START_MS, source);
    history.record(START_MS + 1000, source);
    expect(reader.select(named("many"), 0, START_MS + 1000).length).toBe(24);
    expect(history.seriesRefused).toBe(6);
  });

  test("random ticks, series that come and go, and restarts agree with a plain list", () => {
    const seed = 20_240_501;
    const random = new Random(seed);
    const place = { disk: new NativeDisk(1), directory: temporaryDirectory() };
    let { history, reader } = openHistory();
    history.open();
    let source = new ListSource();
    source.add("s", { i: "0" });
    /** by series: samples of the finest ring */
    const model = new Map<string, [number, number][]>([["0", []]]);
    let now = START_MS;
    for (let step = 0; step < 1500; step++) {
      now += 1000 + random.below(3) * 500 * (random.below(20) === 0 ? 30 : 1);
      if (random.below(60) === 0 && source.identities.length < 20) {
        const i = String(source.identities.length);
        source.add("s", { i });
        if (!model.has(i)) model.set(i, []);
      }
      for (let index = 0; index < source.identities.length; index++) {
        const isGone = random.below(9) === 0;
        const value = isGone ? Number.NaN : valueFor(index, now);
        source.values[index] = value;
        if (!isGone) model.get(String(index))!.push([now, value]);
      }
      history.record(now, source);
      if (random.below(150) === 0) {
        saveHistory(history, place, now);
        ({ history, reader } = openHistory());
        expect(loadHistory(history, place, now).state).toBe("loaded");
        history.open();
        const before = source;
        source = new ListSource();
        // Another order than before: the history goes by names.
        for (let index = 0; index < before.identities.length; index++) source.add("s", { i: String(index) });
      }
      if (random.below(10) > 0) continue;
      const from = now - random.below(20_000);
      const found = new Map(
        reader
          .select(named("s"), from, now)
          .map(({ labels, times, values }) => [
            labels.get("i"),
            Array.from(times, (time, i): [number, number] => [time, values[i]!]),
          ]),
      );
      for (const [i, samples] of model) {
        const wanted = samples.filter(([time]) => time >= from);
        const got = found.get(i) ?? [];
        expect([seed, step, i, got]).toEqual([seed, step, i, wanted]);
      }
    }
  });

  test("readers in other threads never see a wrong sample while blocks are sealed and overwritten", async () => {
    const state = makeHistoryState(SMALL_SHAPE);
    const stop = new SharedArrayBuffer(4);
    const worker = new Worker(new URL("./history-writer-worker.ts", import.meta.url));
    const replies: ((reply: unknown) => void)[] = [];
    worker.onmessage = ({ data }) => replies.shift()?.(data);
    const reply = (): Promise<unknown> => new Promise((resolve) => replies.push(resolve));
    const writing = reply();
    worker.postMessage({ state, stop });
    await writing;
    const reader = new HistoryReader(SMALL_SHAPE, state);
    let sampleCount = 0;
    let wrong = 0;
    const until = performance.now() + 700;
    while (performance.now() < until) {
      for (const from of [0, 1_000_000_000_000 + sampleCount]) {
        for (const { labels, times, values } of reader.select(named("made_up"), from, 1e15)) {
          const index = Number(labels.get("index"));
          for (const [i, time] of times.entries()) {
            sampleCount += 1;
            if (values[i] !== valueFor(index, time)) wrong += 1;
            if (i > 0 && time <= times[i - 1]!) wrong += 1;
          }
        }
      }
    }
    const stopped = reply();
    Atomics.store(new Int32Array(stop), 0, 1);
    const ticks = (await stopped) as number;
    worker.terminate();
    expect(wrong).toBe(0);
    expect(sampleCount).toBeGreaterThan(1000);
    expect(ticks).toBeGreaterThan(1000);
  });
});

describe("saveHistory", () => {
  test("a file that was cut or flipped anywhere is reported, kept aside, and the history begins anew", () => {
    const place = { disk: new NativeDisk(1), directory: temporaryDirectory() };
    const path = join(place.directory, "history");
    const { history } = openHistory();
    const source = new ListSource();
    source.add("some", { label: "value" });
    history.open();
    for (let tick = 0; tick < 12; tick++) {
      source.values[0] = tick;
      history.record(START_MS + tick * 1000, source);
    }
    saveHistory(history, place, START_MS + 12_000);
    const whole = readFileSync(path);
    const damages = [
      ...Array.from({ length: 25 }, (_, i) => whole.subarray(0, Math.floor((whole.length * i) / 25))),
      ...Array.from({ length: whole.length }, (_, i) => {
        const flipped = Buffer.from(whole);
        flipped[i]! ^= 1 << (i & 7);
        return flipped;
      }).filter((_, i) => i % 7 === 0),
    ];
    for (const damaged of damages) {
      writeFileSync(path, damaged);
      const { history: next, reader } = openHistory();
      const found = loadHistory(next, place, START_MS + 13_000);
      next.open();
      expect(found.state).toBe("damaged");
      expect(readFileSync(`${path}.broken`).equals(damaged)).toBe(true);
      expect(reader.series()).toEqual([]);
      cleanups.pop()!();
    }
    expect(loadHistory(openHistory().history, place, START_MS).state).toBe("missing");
  });

  test("a save after a load keeps series that are only in the past, and drops those without a sample", () => {
    const place = { disk: new NativeDisk(1), directory: temporaryDirectory() };
    const first = openHistory();
    const source = new ListSource();
    source.add("never");
    source.add("old");
    source.values.set([Number.NaN, 3]);
    first.history.open();
    first.history.record(START_MS, source);
    first.history.record(START_MS + 1000, source);
    saveHistory(first.history, place, START_MS + 2000);
    const second = openHistory();
    expect(loadHistory(second.history, place, START_MS + 3000)).toMatchObject({ state: "loaded", blocks: 2 });
    second.history.open();
    expect(second.reader.series().map((labels) => labels.name)).toEqual(["old"]);
    const later = new ListSource();
    later.add("new");
    later.values[0] = 9;
    second.history.record(START_MS + 4000, later);
    const [old] = second.reader.select(named("old"), START_MS, START_MS + 5000);
    expect(Array.from(old!.values)).toEqual([3, 3]);
    expect(Array.from(old!.goneAt!)).toEqual([START_MS + 4000]);
    expect(second.reader.select(named("new"), START_MS, START_MS + 5000)[0]!.values[0]).toBe(9);
  });
});
