/** Spaces keep everything when the number of home writers changes between two starts. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { streamPlace } from "../../src/appliance/stream-place.ts";
import { settleTopology } from "../../src/appliance/topology.ts";
import { loadSettings } from "../../src/config/load.ts";
import { writeCheckpoint } from "../../src/engine/checkpointer.ts";
import { homeWriterOf } from "../../src/engine/home-of.ts";
import { idKeyOf } from "../../src/engine/id-key.ts";
import { CompoundBuilder } from "../../src/engine/mind/compound.ts";
import { readTraits } from "../../src/engine/mind/node-traits.ts";
import { TRAITS_AT_BIRTH } from "../../src/engine/mind/traits-record.ts";
import { recoverStream } from "../../src/engine/recovery.ts";
import { SpaceKeeper } from "../../src/engine/space-keeper.ts";
import { SpaceReader } from "../../src/engine/space-reader.ts";
import { SpaceTable } from "../../src/engine/space-table.ts";
import { PayloadEncoder } from "../../src/engine/write-codec.ts";
import { ScoreAccumulator } from "../../src/index/word-index-reader.ts";
import { BINDING_KIND } from "../../src/layout/binding.ts";
import { LOG_KIND } from "../../src/layout/log-payload.ts";
import { logRecordBytes } from "../../src/layout/log-record.ts";
import { EpochReader, Epochs, makeEpochs } from "../../src/shm/epochs.ts";
import { CheckpointStore } from "../../src/storage/checkpoint-store.ts";
import { DataDirectory } from "../../src/storage/data-directory.ts";
import { LocalLog } from "../../src/storage/local-log.ts";
import { NativeDisk } from "../../src/storage/native-disk.ts";
import { hashOf } from "../engine/mind/mind-under-test.ts";

const path = mkdtempSync(join(tmpdir(), "engram-rehome-"));
afterAll(() => rmSync(path, { recursive: true, force: true }));

const { settings } = loadSettings({ file: undefined, environment: {} });
const SPACES = Array.from({ length: 7 }, (_, i) => `space-${i}`);
const disk = new NativeDisk(1);
const encoder = new PayloadEncoder();
const open = (): DataDirectory => new DataDirectory({ disk, path, pid: 1, version: "test", nowMs: 0 });
const quiet = { progress: () => {}, log: () => {} };

/** A stream recovered as a home writer would. */
function stream(directory: DataDirectory, ordinal: number) {
  const { generation, streams } = directory.topology;
  const place = streamPlace(path, generation, ordinal);
  const store = new CheckpointStore({
    disk,
    directory: place.checkpoint,
    topology: generation,
    stream: ordinal,
  });
  const log = LocalLog.open(
    {
      disk,
      directory: place.log,
      topology: generation,
      stream: ordinal,
      segmentBytes: 8 << 20,
      bufferBytes: 1 << 20,
    },
    store.sequence,
  );
  const table = new SpaceTable(SpaceTable.allocate(64));
  const epochBuffer = makeEpochs(1);
  const keeper = new SpaceKeeper({
    table,
    writerCount: streams,
    space: { policy: { hugePages: "off" }, writer: ordinal, M: 8, efConstruction: 32 },
    epochs: new Epochs(epochBuffer),
  });
  recoverStream({ store, log, keeper, threads: 1, progress: () => {} });
  return { store, log, keeper, table, epoch: new EpochReader(epochBuffer, 0), place };
}

type Stream = ReturnType<typeof stream>;

function write({ log, keeper }: Stream, kind: number, spaceId: number, payload: Uint8Array): void {
  log.reserve(logRecordBytes(payload.byteLength));
  const sequence = log.append(kind, spaceId, payload, 0, payload.byteLength);
  keeper.apply(kind, spaceId, sequence, payload);
}

function remember(to: Stream, spaceName: string, id: string): void {
  const space = [...to.keeper.spaces].find(({ description }) => description.name === spaceName)!;
  const payload = encoder.remember({
    id,
    content: `${id} of ${spaceName}`,
    metadataJson: undefined,
    tags: ["t"],
    timestampMs: 1,
    storedAtMs: 2,
    confidence: 0.5,
    vector: Float32Array.of(1, 0, 0, 0),
    norm: 1,
    replaces: true,
  });
  write(to, LOG_KIND.remember, space.description.spaceId, payload.slice());
}

/** What the mind of a space has in this test: how often "checkpointed" was used, what it is bound to, walks. */
function mindOf({ keeper }: Stream, name: string) {
  const space = [...keeper.spaces].find(({ description }) => description.name === name)!;
  const { mind, root } = space;
  const slot = space.find(idKeyOf("checkpointed"));
  const bound = Array.from({ length: mind.bindings.fanOut(slot) }, (_, index) => {
    const { target, kind, strength, isReverse } = mind.bindings.at(slot, index);
    const { low } = mind.nodeAt(target);
    return { isLogged: low === hashOf("logged").low, kind, strength, isReverse };
  });
  const { useCount } = readTraits(space.arenas.headers, slot, { ...TRAITS_AT_BIRTH });
  const left = space.nodeCount - root.load("associatedCount");
  return { bound, useCount, unassociated: left, consolidated: root.load("consolidatedCount") };
}

/** Ids by space, over all streams; checks that every space lies where its name says. */
function contents(directory: DataDirectory): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (let ordinal = 0; ordinal < directory.topology.streams; ordinal++) {
    const { keeper, table, log } = stream(directory, ordinal);
    for (const space of keeper.spaces) {
      const { name } = space.description;
      expect(homeWriterOf(name, directory.topology.streams)).toBe(ordinal);
      expect(space.description.spaceId % directory.topology.streams).toBe(ordinal);
      const reader = new SpaceReader(table.find(name)!, { k1: 1.2, b: 0.75 }, new ScoreAccumulator());
      const ids = ["checkpointed", "logged", "gone", "later"].filter((id) => {
        const slot = reader.find(idKeyOf(id));
        if (slot >= 0) expect(reader.memory(slot).content).toBe(`${id} of ${name}`);
        return slot >= 0;
      });
      found.set(name, ids);
    }
    log.close();
  }
  return found;
}

test("settleTopology moves spaces from one stream to three and back, checkpointed and logged ones alike", async () => {
  const first = open();
  await settleTopology({ directory: first, writerCount: 1, settings, ...quiet });
  const only = stream(first, 0);
  for (const [i, name] of SPACES.entries()) {
    const description = {
      spaceId: i + 1,
      name,
      dimensions: 4,
      embedder: "none",
      language: "english",
      quantization: "bf16",
      createdAtMs: 3,
    };
    write(only, LOG_KIND.createSpace, i + 1, new TextEncoder().encode(JSON.stringify(description)));
    remember(only, name, "checkpointed");
    remember(only, name, "gone");
  }
  only.log.write();
  only.log.sync();
  writeCheckpoint({
    store: only.store,
    table: only.table,
    epoch: only.epoch,
    cut: only.keeper.cut(only.log.appendedSequence),
    scratchDirectory: only.place.checkpoint,
    untilDurable: () => {},
  });
  for (const name of SPACES) {
    remember(only, name, "logged");
    const space = [...only.keeper.spaces].find(({ description }) => description.name === name)!;
    write(only, LOG_KIND.forget, space.description.spaceId, encoder.forget("gone").slice());
    const compound = new CompoundBuilder()
      .bind({
        source: hashOf("checkpointed"),
        destination: hashOf("logged"),
        kind: BINDING_KIND.link,
        strength: 0.5,
        lastUsedSeconds: 9,
        useCount: 1,
      })
      .traits(hashOf("checkpointed"), { useCount: 7 })
      .progress("association", only.log.appendedSequence);
    write(only, LOG_KIND.compound, space.description.spaceId, compound.payload.slice());
  }
  const minds = new Map(SPACES.map((name) => [name, mindOf(only, name)]));
  expect(minds.get("space-3")).toEqual({
    bound: [{ isLogged: true, kind: BINDING_KIND.link, strength: 0.5, isReverse: false }],
    useCount: 7,
    unassociated: 0,
    consolidated: 0,
  });
  only.log.close();

  await settleTopology({ directory: first, writerCount: 3, settings, ...quiet });
  expect(first.topology.streams).toBe(3);
  expect(contents(first)).toEqual(new Map(SPACES.map((name) => [name, ["checkpointed", "logged"]])));

  // The new streams take writes, and the way back keeps those too.
  for (let ordinal = 0; ordinal < 3; ordinal++) {
    const some = stream(first, ordinal);
    for (const { description } of some.keeper.spaces) {
      expect(mindOf(some, description.name)).toEqual(minds.get(description.name)!);
      remember(some, description.name, "later");
      expect(mindOf(some, description.name).unassociated).toBe(1);
    }
    some.log.close();
  }
  await settleTopology({ directory: first, writerCount: 1, settings, ...quiet });
  first.close();

  const again = open();
  expect(again.topology.streams).toBe(1);
  const all = new Map([...contents(again)].sort());
  expect(all).toEqual(new Map(SPACES.map((name) => [name, ["checkpointed", "logged", "later"]])));
  const last = stream(again, 0);
  // What was stored since is still to be looked at, and nothing else.
  for (const name of SPACES) expect(mindOf(last, name)).toEqual({ ...minds.get(name)!, unassociated: 1 });
  last.log.close();
  again.close();
});
