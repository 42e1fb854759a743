import { describe, expect, test } from "bun:test";
import { OperatorError } from "../../src/base/errors.ts";
import { CheckpointStore } from "../../src/storage/checkpoint-store.ts";
import type { CheckpointWriter } from "../../src/storage/checkpoint-writer.ts";
import { Crash, FaultyDisk } from "./faulty-disk.ts";
import { chanceFrom, LONG } from "./log-model.ts";

const DIR = "checkpoint";
const CHUNK = 1000;

/** What a checkpoint should hold: bytes by "space/part", and each space's meta. */
type Model = { sequence: number; parts: Map<string, Uint8Array>; metas: Map<number, unknown> };

const emptyModel = (): Model => ({ sequence: 0, parts: new Map(), metas: new Map() });

function newDisk(seed: number): FaultyDisk {
  const disk = new FaultyDisk(chanceFrom(seed));
  disk.makeDirectory(DIR);
  return disk;
}

function open(disk: FaultyDisk): CheckpointStore {
  return new CheckpointStore({ disk, directory: DIR, topology: 1, stream: 0 });
}

function someBytes(chance: () => number, max: number): Uint8Array {
  const bytes = new Uint8Array(Math.floor(chance() * max));
  for (let index = 0; index < bytes.length; index++) bytes[index] = chance() * 256;
  return bytes;
}

/** Cuts bytes into pieces at random. */
function pieces(bytes: Uint8Array, chance: () => number): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const count = Math.min(bytes.length - at, Math.floor(chance() * 1500));
    list.push(bytes.subarray(at, at + count));
    at += count;
  }
  return list;
}

/** Makes random changes, in the checkpoint and in what it should hold from then on. */
function change(writer: CheckpointWriter, model: Model, chance: () => number): Model {
  const next: Model = {
    sequence: model.sequence + 1 + Math.floor(chance() * 10),
    parts: new Map(model.parts),
    metas: new Map(model.metas),
  };
  for (let spaceId = 1; spaceId <= 3; spaceId++) {
    const dice = chance();
    if (dice < 0.2) continue;
    if (dice < 0.27) {
      writer.drop(spaceId);
      next.metas.delete(spaceId);
      for (const key of next.parts.keys()) if (key.startsWith(`${spaceId}/`)) next.parts.delete(key);
      continue;
    }
    const space = writer.space(spaceId);
    const meta = { nodeCount: Math.floor(chance() * 1000) };
    space.meta(meta);
    next.metas.set(spaceId, meta);
    for (const name of ["headers", "vectors"]) {
      const key = `${spaceId}/${name}`;
      const added = someBytes(chance, 3500);
      if (chance() < 0.1) {
        space.rewrite(name, CHUNK, pieces(added, chance));
        next.parts.set(key, added);
      } else {
        const before = next.parts.get(key) ?? new Uint8Array(0);
        expect(space.bytes(name)).toBe(before.length);
        space.append(name, CHUNK, before.length, pieces(added, chance));
        next.parts.set(key, new Uint8Array([...before, ...added]));
      }
    }
    const graph = someBytes(chance, 5000);
    if (chance() < 0.5) space.blob("graph", pieces(graph, chance));
    else space.blobFrom("graph", (write) => pieces(graph, chance).forEach(write));
    next.parts.set(`${spaceId}/graph`, graph);
  }
  writer.commit(next.sequence);
  return next;
}

/** Compares everything that a store lists and loads with what it should hold. */
function expectHolds(store: CheckpointStore, model: Model, chance = chanceFrom(1)): void {
  expect(store.sequence).toBe(model.sequence);
  const listed = store.spaces();
  expect(new Map(listed.map(({ spaceId, meta }) => [spaceId, meta]))).toEqual(
    new Map([...model.metas].sort((a, b) => a[0] - b[0])),
  );
  let count = 0;
  for (const { spaceId, parts } of listed) {
    for (const [name, { bytes }] of parts) {
      const wanted = model.parts.get(`${spaceId}/${name}`);
      expect(bytes).toBe(wanted?.length ?? -1);
      const memory = new Uint8Array(bytes + 100);
      // Ranges whose borders are anywhere, as arenas' chunks are to checksummed ones.
      const into = pieces(memory, chance);
      store.load([{ spaceId, name, into }]);
      expect(Buffer.compare(memory.subarray(0, bytes), wanted!)).toBe(0);
      count++;
    }
  }
  expect(count).toBe(model.parts.size);
}

describe("CheckpointStore", () => {
  test("CheckpointStore holds what was written, over generations and restarts", () => {
    const disk = newDisk(1);
    const chance = chanceFrom(2);
    let model = emptyModel();
    expectHolds(open(disk), model);
    for (let generation = 1; generation <= 30; generation++) {
      const store = open(disk);
      model = change(store.begin(), model, chance);
      expect(store.generation).toBe(generation);
      expectHolds(store, model);
      expectHolds(open(disk), model);
      const named = new Set(["manifest"]);
      for (const { spaceId, parts } of store.spaces())
        for (const name of parts.keys()) named.add(`${spaceId}.${name}`);
      expect(new Set(disk.list(DIR).map((name) => name.replace(/\.\d+$/, "")))).toEqual(named);
    }
  });

  test("CheckpointStore holds the old or the new, whole, whatever operation the machine stops at", () => {
    const runs = LONG ? 400 : 25;
    for (let run = 0; run < runs; run++) {
      const chance = chanceFrom(100 + run);
      let disk = newDisk(run);
      let model = emptyModel();
      for (let life = 0; life < 12; life++) {
        const store = open(disk);
        disk.operationsLeft = 1 + Math.floor(chance() * (life === 0 ? 300 : 120));
        if (chance() < 0.2) disk.syncsUntilFailure = Math.floor(chance() * 12);
        let tried: Model | undefined;
        try {
          for (let turn = 0; turn < 3; turn++) {
            // The same changes are made once beside it, to know what the new one would be.
            const seed = Math.floor(chance() * 2 ** 32);
            tried = foresee(model, seed);
            try {
              model = change(store.begin(), model, chanceFrom(seed));
              tried = undefined;
            } catch (error) {
              if (!(error instanceof OperatorError) || error.code !== "checkpoint-failed") throw error;
              if (/not known/.test(error.message)) throw new Crash(error.message);
              expectHolds(store, model);
              tried = undefined;
            }
          }
        } catch (error) {
          if (!(error instanceof Crash))
            throw new Error(`run ${run}, life ${life}: ${error}`, { cause: error });
        }
        disk = chance() < 0.3 ? disk.afterKill() : disk.afterPowerLoss();
        const found = open(disk.copy());
        const isNew = tried !== undefined && found.sequence === tried.sequence;
        if (isNew) model = tried!;
        expectHolds(found, model);
      }
    }
  }, 300_000);

  test("CheckpointStore gives up on a full disk, keeps the old one, leaves nothing, and succeeds later", () => {
    const disk = newDisk(5);
    let model = change(open(disk).begin(), emptyModel(), chanceFrom(6));
    const used = disk.usedBytes();
    let refused = 0;
    for (let spare = 0; ; spare += LONG ? 7 : 211) {
      const full = disk.copy();
      full.budgetBytes = used + spare;
      const store = open(full);
      try {
        change(store.begin(), model, chanceFrom(7));
        break;
      } catch (error) {
        expect(error).toMatchObject({ code: "checkpoint-disk-full" });
        refused++;
      }
      expectHolds(store, model);
      expectHolds(open(full), model);
      full.budgetBytes = Number.POSITIVE_INFINITY;
      expectHolds(open(full), model);
      const later = change(store.begin(), model, chanceFrom(7));
      expectHolds(open(full), later);
    }
    expect(refused).toBeGreaterThan(20);
    model = change(open(disk).begin(), model, chanceFrom(8));
    expectHolds(open(disk), model);
  });

  test("CheckpointStore refuses every flipped bit of what it holds, but answers it for derived parts", () => {
    const disk = newDisk(9);
    const model = change(open(disk).begin(), emptyModel(), chanceFrom(10));
    let harmless = 0;
    let flips = 0;
    for (const path of disk.paths()) {
      const bits = disk.contents(path).length * 8;
      for (let bit = 0; bit < bits; bit += LONG ? 3 : 97) {
        flips++;
        disk.flipBit(path, bit);
        try {
          expectHolds(open(disk), model);
          harmless++;
        } catch (error) {
          if (!(error instanceof OperatorError)) throw error;
          expect(["checkpoint-damaged"]).toContain(error.code);
          expect(error.message).toContain(path);
        }
        disk.flipBit(path, bit);
      }
    }
    expect(flips).toBeGreaterThan(500);
    expect(harmless).toBe(0);
    const graph = disk.paths().find((path) => path.includes("graph"))!;
    disk.flipBit(graph, 80);
    const store = open(disk);
    const spaceId = Number(graph.split("/")[1]!.split(".")[0]);
    const into = [new Uint8Array(10_000)];
    expect(store.load([{ spaceId, name: "graph", into, derived: true }])).toMatchObject([
      { path: graph, found: "the checksum of the bytes from 0 on is wrong" },
    ]);
    disk.remove(graph);
    expect(store.load([{ spaceId, name: "graph", into, derived: true }])).toMatchObject([
      { path: graph, found: "the file is missing" },
    ]);
    expect(() => store.load([{ spaceId, name: "graph", into }])).toThrow(
      expect.objectContaining({ code: "checkpoint-damaged" }),
    );
  });

  test("CheckpointStore refuses a manifest of another stream, and one of a newer program", () => {
    const disk = newDisk(11);
    change(open(disk).begin(), emptyModel(), chanceFrom(12));
    expect(() => new CheckpointStore({ disk, directory: DIR, topology: 2, stream: 0 })).toThrow(
      expect.objectContaining({ code: "checkpoint-damaged" }),
    );
  });
});

/** What `change` with this seed would make of a model. */
function foresee(model: Model, seed: number): Model {
  const disk = newDisk(1);
  const chance = chanceFrom(3);
  const setup = open(disk).begin();
  for (const [spaceId, meta] of model.metas) setup.space(spaceId).meta(meta);
  for (const [key, bytes] of model.parts) {
    const [spaceId, name] = key.split("/") as [string, string];
    if (name === "graph") setup.space(Number(spaceId)).blob(name, [bytes]);
    else setup.space(Number(spaceId)).append(name, CHUNK, 0, pieces(bytes, chance));
  }
  setup.commit(model.sequence);
  return change(open(disk).begin(), model, chanceFrom(seed));
}
