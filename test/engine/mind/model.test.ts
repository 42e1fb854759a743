/** Random operations on the mind of a space beside two maps: in service, compacted, and after a crash. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { entropySeed, Random } from "../../../src/base/random.ts";
import { writeCheckpoint } from "../../../src/engine/checkpointer.ts";
import type { StreamCut } from "../../../src/engine/home-writer.ts";
import { recoverStream } from "../../../src/engine/recovery.ts";
import type { SpaceKeeper } from "../../../src/engine/space-keeper.ts";
import { CheckpointStore } from "../../../src/storage/checkpoint-store.ts";
import { NativeDisk } from "../../../src/storage/native-disk.ts";
import { type LoggedRecord, MindUnderTest, makeKeeper } from "./mind-under-test.ts";

const directory = mkdtempSync(join(tmpdir(), "engram-mind-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const seed = Number(process.env["ENGRAM_TEST_SEED"] ?? entropySeed() >>> 0);

function storeIn(name: string): CheckpointStore {
  return new CheckpointStore({
    disk: new NativeDisk(1),
    directory: mkdtempSync(join(directory, name)),
    topology: 1,
    stream: 0,
  });
}

function checkpoint(mind: MindUnderTest, store: CheckpointStore, cut: StreamCut): void {
  writeCheckpoint({
    store,
    table: mind.keeper.table,
    epoch: mind.epoch,
    cut,
    scratchDirectory: directory,
    untilDurable: () => {},
  });
}

/** What a start makes of a checkpoint and the log behind it. */
function recovered(mind: MindUnderTest, store: CheckpointStore, log: readonly LoggedRecord[]): SpaceKeeper {
  const keeper = makeKeeper(mind.epochs);
  const replay = (from: number, apply: (...args: unknown[]) => void): void => {
    for (const { kind, payload, sequence } of log) {
      if (sequence >= from) apply(kind, 1, sequence, payload, 0, payload.byteLength);
    }
  };
  recoverStream({
    store,
    log: { replay } as unknown as Parameters<typeof recoverStream>[0]["log"],
    keeper,
    threads: 1,
    progress: () => {},
  });
  return keeper;
}

test("SpaceMind: nodes, traits, bindings and counts are what two maps say, at both ends, through compactions", () => {
  const mind = new MindUnderTest(new Random(seed), 15);
  let images = 0;
  for (let step = 0; step < 4000; step++) {
    mind.step();
    const { image } = mind.space;
    mind.keeper.compact(step % 7);
    mind.keeper.collectRetired();
    if (mind.space.image !== image) images += 1;
    if (step % 50 === 0 || mind.space.image !== image)
      mind.expectSame(mind.keeper, `seed ${seed}, step ${step}`);
  }
  mind.expectSame(mind.keeper, `seed ${seed}, at the end`);
  expect(images).toBeGreaterThan(10);
});

test("a checkpoint taken while the writer goes on, and the log behind its cut, end where the writer was", () => {
  const random = new Random(seed);
  for (let round = 0; round < 12; round++) {
    const where = `seed ${seed}, round ${round}`;
    const mind = new MindUnderTest(random);
    const store = storeIn(`fuzzy-${round}-`);
    for (let steps = random.below(120); steps > 0; steps--) mind.step();
    const cut = mind.keeper.cut(mind.log.length);
    for (let steps = random.below(60); steps > 0; steps--) mind.step();
    // The checkpoint asks for the node count before each slot it copies: that is when the writer does something.
    const { root } = mind.space;
    const load = root.load.bind(root);
    let isInside = false;
    root.load = (word) => {
      if (word === "nodeCount" && !isInside && random.below(3) === 0) {
        isInside = true;
        mind.step();
        isInside = false;
      }
      return load(word);
    };
    checkpoint(mind, store, cut);
    root.load = load;
    mind.expectSame(recovered(mind, store, mind.log), where);
    for (let steps = random.below(60); steps > 0; steps--) mind.step();
    mind.expectSame(recovered(mind, store, mind.log), `${where}, with more in the log`);
  }
});

test("recovery from a checkpoint of a compacted space goes on where the mind was", () => {
  const random = new Random(seed + 1);
  const mind = new MindUnderTest(random, 15);
  const store = storeIn("compacted-");
  for (let round = 0; round < 8; round++) {
    for (let step = 0; step < 150; step++) {
      mind.step();
      mind.keeper.compact(random.below(6));
      mind.keeper.collectRetired();
    }
    checkpoint(mind, store, mind.keeper.cut(mind.log.length));
    for (let steps = random.below(40); steps > 0; steps--) {
      mind.step();
      mind.keeper.compact(random.below(6));
    }
    mind.expectSame(recovered(mind, store, mind.log), `seed ${seed}, round ${round}`);
  }
  expect(mind.space.image).toBeGreaterThan(3);
});

test("recovery of the whole log, without a checkpoint, ends where the writer was", () => {
  const mind = new MindUnderTest(new Random(seed + 2));
  for (let step = 0; step < 600; step++) mind.step();
  const keeper = makeKeeper(mind.epochs);
  keeper.create(mind.space.description, 0);
  for (const { kind, payload, sequence } of mind.log) keeper.apply(kind, 1, sequence, payload);
  keeper.finishReplay();
  mind.expectSame(keeper, `seed ${seed}`);
});

test("recovery refuses blobs of the mind that are not what they should be, and names the file and the fault", () => {
  const faults: [string, (bytes: Uint8Array) => Uint8Array, string][] = [
    ["traits", (bytes) => bytes.with(0, 0x58), "it does not begin with ENGRTRAI"],
    ["traits", (bytes) => bytes.with(8, 9), "its format is 9, this program reads 1"],
    ["bindings", (bytes) => bytes.with(12, 31), "its records have 31 bytes"],
    ["bindings", (bytes) => bytes.slice(0, bytes.byteLength - 1), "it ends in a record"],
    ["bindings", (bytes) => bytes.slice(0, 15), "it has 15 bytes, less than its head"],
    ["bindings", (bytes) => bytes.with(16 + 16, 200), "there is no kind 200 of binding"],
    ["traits", (bytes) => bytes.with(16 + 44, 3), "there is no phase 3"],
  ];
  for (const [part, damage, found] of faults) {
    const mind = new MindUnderTest(new Random(seed));
    for (let step = 0; step < 300; step++) mind.step();
    const store = storeIn("damaged-");
    checkpoint(mind, store, mind.keeper.cut(mind.log.length));
    // Bytes that the checksums vouch for, as a program with a mistake in it would write them.
    const damaged = damage(store.read(1, part));
    const writer = store.begin();
    writer.space(1).blob(part, [damaged]);
    writer.commit(store.sequence);
    const recover = () => recovered(mind, store, []);
    expect(recover, found).toThrow(found);
    expect(recover).toThrow(expect.objectContaining({ code: "checkpoint-damaged" }));
  }
});

test("renumbered nodes keep what the walks have done, also when a log that begins anew goes on", () => {
  const mind = new MindUnderTest(new Random(seed + 3));
  for (let step = 0; step < 200; step++) mind.step();
  const { root, nodeCount, mind: own } = mind.space;
  own.setProgress("association", mind.log.length);
  own.setProgress("consolidation", 0);
  own.renumber(nodeCount);
  own.setProgress("association", own.progress("association"));
  own.setProgress("consolidation", own.progress("consolidation"));
  expect([root.load("associatedCount"), root.load("consolidatedCount")]).toEqual([nodeCount, 0]);
  mind.log.length = 0;
  mind.remember("id-1", "memory");
  own.setProgress("association", own.progress("association"));
  expect(root.load("associatedCount")).toBe(nodeCount);
  own.setProgress("association", 1);
  expect(root.load("associatedCount")).toBe(nodeCount + 1);
});
