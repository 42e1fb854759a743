/** The learner over a space of one thread: what it publishes, when it frees it, and what survives compaction. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { foldText } from "../../../src/cognition/meaning/meaning.ts";
import { HASH_EMBEDDER_ID } from "../../../src/embedding/hash-embedder.ts";
import { idKeyOf } from "../../../src/engine/id-key.ts";
import { MeaningLearner } from "../../../src/engine/meaning/meaning-learner.ts";
import { MeaningReader, type MeaningView } from "../../../src/engine/meaning/meaning-reader.ts";
import { SpaceText } from "../../../src/engine/meaning/space-text.ts";
import { sampleText } from "../../../src/engine/meaning/text-sample.ts";
import { analyse } from "../../../src/language/analyse.ts";
import { TermBuffer } from "../../../src/language/term-buffer.ts";
import { EpochReader } from "../../../src/shm/epochs.ts";
import { listRegions } from "../../../src/shm/region-registry.ts";
import { NativeDisk } from "../../../src/storage/native-disk.ts";
import { synonymTexts } from "../../support/synonym-texts.ts";
import { SpaceUnderTest } from "../space-under-test.ts";

const TEXTS = 400;
const SETTINGS = {
  isEnabled: true,
  dimensionsMax: 128,
  memoriesMin: 100,
  termsMax: 10_000,
  workBytes: 64 * 1024 * 1024,
  growth: 0.5,
  restMs: 0,
  scanMax: 8192,
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "engram-meaning-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function filled(compactForgottenMin?: number): SpaceUnderTest {
  const space = new SpaceUnderTest(compactForgottenMin, { embedder: HASH_EMBEDDER_ID });
  for (const text of synonymTexts(TEXTS)) space.remember(text);
  return space;
}

function learnerOf(space: SpaceUnderTest): MeaningLearner {
  return new MeaningLearner({
    table: space.table,
    epoch: space.epoch,
    epochs: space.epochs,
    settings: SETTINGS,
    policy: { hugePages: "off" },
    disk: new NativeDisk(1),
    dataDirectory: directory,
    now: () => performance.now(),
    wallClock: () => 1_700_000_000_000,
    log: () => {},
    onLearned: () => {},
  });
}

function run(learner: MeaningLearner): void {
  let turns = 0;
  while (learner.turn(50)) {
    turns += 1;
    expect(turns).toBeLessThan(1000);
  }
}

function meaningOf(space: SpaceUnderTest): MeaningView {
  return new MeaningReader().follow(space.current.root)!;
}

/** Cosines of a query with the memories of some ids, in both ways a recall may ask for them. */
function cosines(space: SpaceUnderTest, query: string, ids: readonly string[]): Float32Array {
  const view = meaningOf(space);
  const reader = space.currentReader();
  const buffer = new TermBuffer();
  analyse(query, "english", buffer);
  const terms = Uint32Array.from({ length: buffer.count }, (_, i) =>
    reader.words.termIndex(buffer.los[i]!, buffer.his[i]!),
  );
  const text = new Uint8Array(view.handle.vectorBytes);
  expect(view.handle.text(terms, buffer.frequencies, buffer.count, text)).toBeGreaterThan(0);
  const slots = Uint32Array.from(ids, (id) => reader.find(idKeyOf(id)));
  const stored = new Float32Array(ids.length);
  view.handle.compare(text, slots, ids.length, view.covered, stored);
  // Folded in on the spot, they are the same.
  const fresh = new Float32Array(ids.length);
  view.handle.compare(text, slots, ids.length, 0, fresh);
  expect(fresh).toEqual(stored);

  // The scan finds the same, with the slots folded in or not.
  for (const covered of [view.covered, 0]) {
    const nodeCount = space.current.root.load("nodeCount");
    const best = { slots: new Uint32Array(nodeCount), scores: new Float32Array(nodeCount) };
    const count = view.handle.best(text, covered, nodeCount, nodeCount, best);
    const found = new Map([...best.slots.subarray(0, count)].map((slot, i) => [slot, best.scores[i]!]));
    for (const [i, slot] of slots.entries()) expect(found.get(slot) ?? 0).toBe(Math.max(0, stored[i]!));
  }
  return stored;
}

const meaningRegions = (): number =>
  listRegions().filter(({ purpose }) => purpose.startsWith("space test: meaning")).length;

describe("MeaningLearner", () => {
  test("publishes what folds texts as the plain way does, but for the rounding to i8", () => {
    const space = filled();
    run(learnerOf(space));
    const view = meaningOf(space);
    expect(view.number("version")).toBe(1);
    expect(view.covered).toBe(TEXTS);

    // The same once more, plainly, from the vectors that were published.
    const text = new SpaceText(space.current.root, space.epoch);
    const steps = sampleText(text, SETTINGS);
    let sample = steps.next();
    while (sample.done !== true) sample = steps.next();
    const { gains, rowOf } = sample.value;
    const dimensions = view.number("dimensions");
    const unit = (term: number): Float32Array => {
      const out = new Uint8Array(view.handle.vectorBytes);
      view.handle.text(Uint32Array.of(term), Uint16Array.of(1), 1, out);
      const scale = new Float32Array(out.buffer, dimensions, 1)[0]!;
      return Float32Array.from(new Int8Array(out.buffer, 0, dimensions), (value) => value * scale);
    };
    const vectors = new Float32Array(gains.length * dimensions);
    for (const [term, row] of rowOf.entries()) vectors.set(unit(term), row * dimensions);
    const folded = (slot: number): Float32Array => {
      const terms: { term: number; occurrences: number }[] = [];
      text.termsOf(slot, (term, occurrences) => terms.push({ term: rowOf[term]!, occurrences }));
      return foldText({ dimensions, vectors }, gains, terms);
    };
    const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const texts = synonymTexts(TEXTS);
    for (let asked = 0; asked < 40; asked += 7) {
      const ids = texts.slice(0, 60).map(({ id }) => id);
      const found = cosines(space, texts[asked]!.content, ids);
      const query = folded(asked);
      for (let slot = 0; slot < ids.length; slot++) {
        expect(Math.abs(found[slot]! - dot(query, folded(slot)))).toBeLessThan(0.02);
      }
    }
  });

  test("brings words that mean the same together, and folds in what is stored later", () => {
    const space = filled();
    const learner = learnerOf(space);
    run(learner);
    space.remember({ id: "same", content: "physician" });
    space.remember({ id: "other", content: "gasoline" });
    learner.turn(50);
    expect(meaningOf(space).covered).toBe(TEXTS + 2);
    const [same, other] = cosines(space, "doctor", ["same", "other"]);
    expect(same!).toBeGreaterThan(other! + 0.15);
    space.forget("same");
    const view = meaningOf(space);
    const best = { slots: new Uint32Array(4), scores: new Float32Array(4) };
    const text = new Uint8Array(view.handle.vectorBytes);
    const physician = synonymTexts(TEXTS).findIndex(({ content }) => content.includes("physician"));
    const slot = space.currentReader().find(idKeyOf(`text-${physician}`));
    expect(slot).toBeGreaterThanOrEqual(0);
    const reader = space.currentReader();
    const buffer = new TermBuffer();
    analyse("physician", "english", buffer);
    view.handle.text(
      Uint32Array.of(reader.words.termIndex(buffer.los[0]!, buffer.his[0]!)),
      Uint16Array.of(1),
      1,
      text,
    );
    // The forgotten one was nearest of all, and is not found.
    const count = view.handle.best(text, view.covered, TEXTS + 2, 4, best);
    expect([...best.slots.subarray(0, count)]).not.toContain(TEXTS);
  });

  test("a compacted space goes on with what it had learned, under its new slots and terms", () => {
    const space = filled(50);
    const learner = learnerOf(space);
    run(learner);
    const ids = synonymTexts(TEXTS)
      .slice(300)
      .map(({ id }) => id);
    const before = cosines(space, "doctor clinic attorney", ids);
    for (let i = 0; i < 300; i++) space.forget(`text-${i}`);
    const { image } = space.current;
    for (let step = 0; step < 100 && space.current.image === image; step++) space.keeper.compact(50);
    expect(space.current.image).toBe(image + 1);
    run(learner);
    expect(meaningOf(space).number("version")).toBe(1);
    expect(meaningOf(space).covered).toBe(100);
    const after = cosines(space, "doctor clinic attorney", ids);
    for (let i = 0; i < ids.length; i++) expect(Math.abs(after[i]! - before[i]!)).toBeLessThan(1e-6);
    expect(readdirSync(join(directory, "meaning")).length).toBe(1);
  });

  test("frees what it replaced once no reader is inside, and everything with its space", () => {
    const space = filled();
    const learner = learnerOf(space);
    const regionsBefore = meaningRegions();
    run(learner);
    const regionsOfOne = meaningRegions() - regionsBefore;
    expect(regionsOfOne).toBeGreaterThan(0);

    const other = new EpochReader(space.epochBuffer, 1);
    other.enter();
    for (const { content, id } of synonymTexts(TEXTS, 12)) space.remember({ id: `more-${id}`, content });
    run(learner);
    expect(meaningOf(space).number("version")).toBe(2);
    learner.turn(1);
    expect(meaningRegions()).toBe(regionsBefore + 2 * regionsOfOne);
    other.exit();
    learner.turn(1);
    expect(meaningRegions()).toBe(regionsBefore + regionsOfOne);
    expect(readdirSync(join(directory, "meaning")).length).toBe(1);

    space.keeper.delete(space.current);
    learner.turn(1);
    learner.turn(1);
    space.keeper.collectRetired();
    expect(meaningRegions()).toBe(regionsBefore);
    expect(readdirSync(join(directory, "meaning"))).toEqual([]);
  });
});

describe("sampleText", () => {
  test("takes runs of neighbours spread over a space that is too large, and leaves the rarest terms out", () => {
    const space = filled();
    for (const { content, id } of synonymTexts(4000, 13)) space.remember({ id: `x-${id}`, content });
    const text = new SpaceText(space.current.root, space.epoch);
    const read = (settings: { workBytes: number; termsMax: number }) => {
      const steps = sampleText(text, { dimensionsMax: 16, ...settings });
      for (;;) {
        const step = steps.next();
        if (step.done === true) return step.value;
      }
    };
    const whole = read({ workBytes: 64 * 1024 * 1024, termsMax: 10_000 });
    expect(whole.texts.textCount).toBe(4400);
    expect(whole.gains.length).toBe(space.current.root.load("termCount"));
    const part = read({ workBytes: 160 * 1024, termsMax: 40 });
    expect(part.gains.length).toBeLessThanOrEqual(40);
    expect(part.texts.textCount).toBeGreaterThan(500);
    expect(part.texts.terms.length).toBeLessThanOrEqual((160 * 1024) / 2 / 8);
    const runs = new Set(part.texts.runs);
    expect(runs.size).toBeGreaterThan(5);
    expect(part.texts.textCount / runs.size).toBeGreaterThan(32);
    // What is left out is rarer than what is kept.
    const kept = [...part.rowOf.keys()].filter((term) => part.rowOf[term] !== 0xffffffff);
    const left = [...part.rowOf.keys()].filter((term) => part.rowOf[term] === 0xffffffff);
    const least = Math.min(...kept.map((term) => text.liveCount(term)));
    for (const term of left) expect(text.liveCount(term)).toBeLessThan(least);
  });
});
