import { expect, test } from "bun:test";
import { EpochReader, Epochs, makeEpochs, retireRegion } from "../../src/shm/epochs.ts";
import { mapRegion, type Region } from "../../src/shm/region.ts";
import { listRegions } from "../../src/shm/region-registry.ts";
import type { EpochJob, EpochReport } from "./workers/epoch-reader.ts";

function markedRegion(): Region {
  const region = mapRegion({ bytes: 65_536, purpose: "epochs test", policy: { hugePages: "off" } });
  new Float64Array(region.buffer).fill(region.address);
  return region;
}

const testRegions = (): number => listRegions().filter((region) => region.purpose === "epochs test").length;

test("Epochs never free what a reader on another thread still reads", async () => {
  const readerCount = 2;
  const epochs = makeEpochs(readerCount);
  const published = new SharedArrayBuffer(8);
  const address = new BigInt64Array(published);
  let current = markedRegion();
  Atomics.store(address, 0, BigInt(current.address));
  const workers = Array.from({ length: readerCount }, (_, readerIndex) => {
    const worker = new Worker(new URL("./workers/epoch-reader.ts", import.meta.url));
    const report = new Promise<EpochReport>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data as EpochReport);
      worker.onerror = reject;
    });
    worker.postMessage({ epochs, readerIndex, published } satisfies EpochJob);
    return { worker, report };
  });

  const owner = new Epochs(epochs);
  let waitedFor = 0;
  for (let swap = 0; swap < 3000; swap++) {
    const next = markedRegion();
    Atomics.store(address, 0, BigInt(next.address));
    retireRegion(current);
    current = next;
    waitedFor = Math.max(waitedFor, owner.collect());
    if (swap % 100 === 0) await Bun.sleep(1);
  }
  Atomics.store(address, 0, 0n);
  for (const { worker, report } of workers) {
    const { reads, wrong } = await report;
    expect(reads).toBeGreaterThan(0);
    expect(wrong).toBe(0);
    worker.terminate();
  }
  retireRegion(current);
  expect(owner.collect()).toBe(0);
  expect(testRegions()).toBe(0);
}, 30_000);

test("Epochs.isPast waits for readers inside, and not for those that entered later", () => {
  const shared = makeEpochs(2);
  const early = new EpochReader(shared, 0);
  const late = new EpochReader(shared, 1);
  const owner = new Epochs(shared);
  early.enter();
  const epoch = owner.advance();
  late.enter();
  expect(owner.isPast(epoch)).toBe(false);
  early.enter();
  early.exit();
  expect(owner.isPast(epoch)).toBe(false);
  early.exit();
  expect(owner.isPast(epoch)).toBe(true);
  late.exit();
});

test("EpochReader.inside leaves when the read throws", () => {
  const shared = makeEpochs(1);
  const reader = new EpochReader(shared, 0);
  expect(() =>
    reader.inside(() => {
      throw new Error("no");
    }),
  ).toThrow("no");
  const owner = new Epochs(shared);
  expect(owner.isPast(owner.advance())).toBe(true);
});
