import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import { writeCheckpoint } from "../../src/engine/checkpointer.ts";
import { idKeyOf } from "../../src/engine/id-key.ts";
import { recoverStream } from "../../src/engine/recovery.ts";
import { SpaceKeeper } from "../../src/engine/space-keeper.ts";
import { SpaceReader } from "../../src/engine/space-reader.ts";
import { SpaceTable } from "../../src/engine/space-table.ts";
import { CheckpointStore } from "../../src/storage/checkpoint-store.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";
import { DIMENSIONS, SpaceUnderTest } from "./space-under-test.ts";

const directory = mkdtempSync(join(tmpdir(), "engram-compaction-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const WORDS = "river stone cloud maple winter harbour lantern violin".split(" ");

/** Random remembers, replaces and forgets, with a part of a compaction in between; `model` is what there is. */
function churn(space: SpaceUnderTest, model: Map<string, string>, random: Random, steps: number): number {
  let replaced = 0;
  for (let step = 0; step < steps; step++) {
    const id = `id-${random.below(60)}`;
    if (random.below(3) === 0) {
      expect(space.forget(id)).toBe(model.delete(id));
    } else {
      const content = `${WORDS[random.below(8)]} ${WORDS[random.below(8)]} ${step}`;
      space.remember({
        id,
        content,
        vector: Float32Array.from({ length: DIMENSIONS }, () => random.gaussian()),
      });
      model.set(id, content);
    }
    const { image } = space.current;
    space.keeper.compact(random.below(8));
    space.keeper.collectRetired();
    if (space.current.image !== image) replaced += 1;
  }
  return replaced;
}

function expectSame(space: SpaceUnderTest, model: Map<string, string>): void {
  expect(space.current.root.load("liveCount")).toBe(model.size);
  for (let i = 0; i < 60; i++) expect(space.get(`id-${i}`)?.content).toBe(model.get(`id-${i}`));
}

test("SpaceKeeper compacts under random writes: every image holds what a map holds, in bounded slots", () => {
  const random = new Random(41);
  const space = new SpaceUnderTest(20);
  const model = new Map<string, string>();
  expect(churn(space, model, random, 4000)).toBeGreaterThan(20);
  expectSame(space, model);
  expect(space.current.nodeCount).toBeLessThan(400);
  expect(space.table.open().length).toBe(1);
});

test("SpaceKeeper finds the compacted image for requests that still name the old one", () => {
  const space = new SpaceUnderTest(20);
  const { spaceIndex } = space.space.root;
  const generation = space.space.root.load("generation");
  churn(space, new Map(), new Random(5), 600);
  expect(space.current).not.toBe(space.space);
  expect(space.keeper.at(spaceIndex, generation)).toBe(space.current);
  space.keeper.delete(space.current);
  expect(space.keeper.at(spaceIndex, generation)).toBeUndefined();
});

test("writeCheckpoint begins the files anew for another image, and recovery reads it back", () => {
  const random = new Random(9);
  const space = new SpaceUnderTest(20);
  const model = new Map<string, string>();
  const place = { disk: new NativeDisk(1), directory, topology: 1, stream: 0 };
  const store = new CheckpointStore(place);
  for (let round = 1; round <= 6; round++) {
    churn(space, model, random, 150);
    writeCheckpoint({
      store,
      table: space.table,
      epoch: space.epoch,
      cut: space.keeper.cut(round),
      scratchDirectory: directory,
      untilDurable: () => {},
    });
    const table = new SpaceTable(SpaceTable.allocate(4));
    const keeper = new SpaceKeeper({
      table,
      writerCount: 1,
      space: { policy: { hugePages: "off" }, writer: 0, M: 8, efConstruction: 32 },
      epochs: space.epochs,
    });
    const log = { replay: () => {} } as unknown as Parameters<typeof recoverStream>[0]["log"];
    recoverStream({ store: new CheckpointStore(place), log, keeper, threads: 1, progress: () => {} });
    const reader = new SpaceReader(table.find("test")!, { k1: 1.2, b: 0.75 }, space.accumulator);
    for (let i = 0; i < 60; i++) {
      const slot = reader.find(idKeyOf(`id-${i}`));
      expect(slot < 0 ? undefined : reader.memory(slot).content).toBe(model.get(`id-${i}`));
    }
  }
  expect(space.current.image).toBeGreaterThan(2);
});
