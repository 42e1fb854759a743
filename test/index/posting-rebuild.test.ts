import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import { writeCheckpoint } from "../../src/engine/checkpointer.ts";
import { recoverStream } from "../../src/engine/recovery.ts";
import { CheckpointStore } from "../../src/storage/checkpoint-store.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";
import { SpaceUnderTest } from "../engine/space-under-test.ts";

const root = mkdtempSync(join(tmpdir(), "engram-postings-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The same space, from a checkpoint: its posting lists are rebuilt. */
function recovered(space: SpaceUnderTest): SpaceUnderTest {
  const directory = mkdtempSync(join(root, "checkpoint-"));
  const place = { disk: new NativeDisk(1), directory, topology: 1, stream: 0 };
  writeCheckpoint({
    store: new CheckpointStore(place),
    table: space.table,
    epoch: space.epoch,
    cut: space.keeper.cut(space.current.lastSequence),
    scratchDirectory: directory,
    untilDurable: () => {},
  });
  const again = new SpaceUnderTest(undefined, { empty: true });
  const log = { replay: () => {} } as unknown as Parameters<typeof recoverStream>[0]["log"];
  recoverStream({
    store: new CheckpointStore(place),
    log,
    keeper: again.keeper,
    threads: 1,
    progress: () => {},
  });
  return again;
}

test("rebuildPostings makes lists that score as the ones built memory by memory, and that grow on", () => {
  const random = new Random(12);
  const space = new SpaceUnderTest();
  const words = Array.from({ length: 400 }, (_, i) => `w${i}x`);
  const text = (): string => {
    const repeated =
      random.below(40) === 0 ? `${words[random.below(9)]} `.repeat(100 + random.below(400)) : "";
    return repeated + Array.from({ length: 1 + random.below(30) }, () => words[random.below(400)]).join(" ");
  };
  for (let i = 0; i < 3000; i++) space.remember({ id: `m${random.below(2000)}`, content: text() });
  for (let i = 0; i < 300; i++) space.forget(`m${random.below(2000)}`);
  const again = recovered(space);
  for (const query of ["w3x", "w1x w2x w399x", "w8x w8x w77x", "nothing"]) {
    expect(again.scores(query)).toEqual(space.scores(query));
  }
  for (let i = 0; i < 500; i++) {
    const memory = { id: `late${i}`, content: text() };
    expect(again.remember(memory)).toBe(space.remember(memory));
  }
  for (const query of ["w3x", "w1x w2x w399x"]) expect(again.scores(query)).toEqual(space.scores(query));
});

test("rebuildPostings splits the list of a word that more memories hold than a block has room for", () => {
  const space = new SpaceUnderTest();
  const count = 70_000;
  for (let i = 0; i < count; i++) space.remember({ id: `m${i}`, content: "everywhere" });
  const again = recovered(space);
  again.remember({ id: "one more", content: "everywhere" });
  expect(again.scores("everywhere").size).toBe(count + 1);
});
