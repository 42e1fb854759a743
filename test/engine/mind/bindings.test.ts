/** Bindings under several threads, at their bounds, and what becomes of the memory they leave. */
import { expect, test } from "bun:test";
import { Random } from "../../../src/base/random.ts";
import {
  BINDING_CHUNK_BYTES,
  BINDING_CLASS_COUNT,
  BINDINGS_DELIBERATE_MAX,
  BINDINGS_FORMED_MAX,
  bindingCapacity,
  bindingClassFor,
  bindingExtentBytes,
} from "../../../src/layout/binding.ts";
import { DIMENSIONS, SpaceUnderTest } from "../space-under-test.ts";
import { hashOf, MindUnderTest } from "./mind-under-test.ts";
import { type CheckerJob, type CheckerReport, codeOf } from "./workers/binding-checker.ts";

const state = (strength: number) => ({ strength, lastUsedSeconds: 1, useCount: 0 });

test("BindingReader on other threads sees only bindings that were made, while they are made and taken away", async () => {
  const NODES = 60;
  const READERS = 2;
  const space = new SpaceUnderTest();
  for (let i = 0; i < NODES; i++) space.remember({ id: `id-${i}`, content: "x" });
  const { bindings } = space.current.mind;
  const flags = new SharedArrayBuffer(4);
  const workers = Array.from({ length: READERS }, (_, readerIndex) => {
    const worker = new Worker(new URL("./workers/binding-checker.ts", import.meta.url));
    const report = new Promise<CheckerReport>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data as CheckerReport);
      worker.onerror = reject;
    });
    const job: CheckerJob = {
      table: space.table.buffer,
      epochs: space.epochBuffer,
      readerIndex,
      nodeCount: NODES,
      dimensions: DIMENSIONS,
      flags,
    };
    worker.postMessage(job);
    return { worker, report };
  });
  const random = new Random(11);
  for (let step = 0; step < 400_000; step++) {
    const [source, destination, kind] = [random.below(NODES), random.below(NODES), random.below(3)];
    if (step % 5000 === 0) await Bun.sleep(1);
    if (step % 64 === 0) bindings.collect(space.epochs);
    if (random.below(400) === 0) bindings.unbind(source);
    if (source === destination) continue;
    const lastUsedSeconds = codeOf(source, destination, kind);
    const strength = random.below(2) === 0 ? 0 : random.float();
    bindings.set(source, destination, kind, { strength, lastUsedSeconds, useCount: step & 0xffff });
  }
  Atomics.store(new Int32Array(flags), 0, 1);
  for (const { worker, report } of workers) {
    const { reads, bindings: seen, wrong } = await report;
    expect(wrong).toBe(0);
    expect(Math.min(reads, seen)).toBeGreaterThan(1000);
    worker.terminate();
  }
}, 60_000);

test("BindingWriter hands extents out again once their readers are past, and not before", () => {
  const space = new SpaceUnderTest();
  for (let i = 0; i < 40; i++) space.remember({ id: `id-${i}`, content: "x" });
  const { mind, arenas } = space.current;
  const grow = (): void => {
    for (let i = 1; i < 40; i++) mind.bindings.set(0, i, 1, state(0.5));
  };
  grow();
  space.epoch.enter();
  mind.bindings.unbind(0);
  mind.bindings.collect(space.epochs);
  const { left } = mind.bindings.spare;
  expect(left).toBeGreaterThan(39);
  space.epoch.exit();
  mind.bindings.collect(space.epochs);
  expect(mind.bindings.spare).toEqual({ left: 0, free: left });
  const { usedBytes } = arenas.bindings;
  for (let round = 0; round < 20; round++) {
    grow();
    mind.bindings.unbind(0);
    mind.bindings.collect(space.epochs);
  }
  expect(arenas.bindings.usedBytes).toBe(usedBytes);
});

test("MindPlanner: a full node gives up its weakest binding for a stronger one, at both ends, and says so in the log", () => {
  const mind = new MindUnderTest(new Random(1));
  const others = BINDINGS_FORMED_MAX + 2;
  mind.remember("hub", "memory");
  for (let i = 0; i < others; i++) mind.remember(`other-${i}`, "memory");
  const { slotOf, mind: own } = mind.space;
  const bind = (other: number, strength: number, kind = 2): number =>
    mind.send((compound) => {
      compound.bind({
        source: hashOf(`other-${other}`),
        destination: hashOf("hub"),
        kind,
        ...state(strength),
      });
    });
  const strengths = Array.from({ length: BINDINGS_FORMED_MAX }, (_, i) => 0.2 + i / 1000);
  for (const [i, strength] of strengths.entries()) expect(bind(i, strength)).toBe(1);
  const hub = slotOf(hashOf("hub"));
  expect(own.bindings.fanOut(hub)).toBe(BINDINGS_FORMED_MAX);

  // Weaker than all there are: not made, and nothing is logged.
  const logged = mind.log.length;
  expect(bind(BINDINGS_FORMED_MAX, 0.1)).toBe(0);
  expect(mind.log.length).toBe(logged);
  // Stronger than the weakest, which is that of the first.
  expect(bind(BINDINGS_FORMED_MAX, 0.9)).toBe(1);
  expect(own.bindings.fanOut(hub)).toBe(BINDINGS_FORMED_MAX);
  expect(own.bindings.fanOut(slotOf(hashOf("other-0")))).toBe(0);
  // Deliberate ones have room of their own.
  expect(bind(BINDINGS_FORMED_MAX + 1, 0.1, 5)).toBe(1);
  expect(own.bindings.fanOut(hub)).toBe(BINDINGS_FORMED_MAX + 1);
  // One that is there is changed, however weak it becomes.
  expect(bind(5, 0.01)).toBe(1);
  expect(mind.space.root.load("bindingCount")).toBe(BINDINGS_FORMED_MAX + 1);
});

test("a concept holds thousands of members, and forgetting it lets all of them go", () => {
  const space = new SpaceUnderTest();
  const members = BINDINGS_DELIBERATE_MAX;
  for (let i = 0; i <= members; i++) space.remember({ id: `id-${i}`, content: "x" });
  const { mind, root } = space.current;
  for (let i = 1; i <= members; i++) mind.bindings.set(0, i, 6, state(0.5), true);
  expect([mind.bindings.fanOut(0), root.load("bindingCount")]).toEqual([members, members]);
  space.forget("id-0");
  expect(root.load("bindingCount")).toBe(0);
  for (let i = 1; i <= members; i++) expect(mind.bindings.fanOut(i)).toBe(0);
});

test("extents double in size, and the largest lies in one chunk", () => {
  for (let sizeClass = 0; sizeClass < BINDING_CLASS_COUNT; sizeClass++) {
    expect(bindingExtentBytes(sizeClass)).toBe(64 * 2 ** sizeClass);
    expect(bindingClassFor(bindingCapacity(sizeClass))).toBe(sizeClass);
    expect(bindingClassFor(bindingCapacity(sizeClass) + 1)).toBe(sizeClass + 1);
  }
  expect(bindingExtentBytes(BINDING_CLASS_COUNT - 1)).toBeLessThanOrEqual(BINDING_CHUNK_BYTES);
});
