import { expect, test } from "bun:test";
import { BugError } from "../../src/base/errors.ts";
import { entropySeed, Random } from "../../src/base/random.ts";
import { Doorbell, makeDoorbells } from "../../src/shm/doorbell.ts";
import { makeRing, RingConsumer, RingProducer } from "../../src/shm/ring.ts";
import { payloadBytesOf, type RingJob } from "./workers/ring-producer.ts";

test("RingProducer hands whole messages over in order, across threads and many wraps", async () => {
  const messageCount = 20_000;
  const payloadBytesMax = 1500;
  const ring = makeRing(4096);
  const bells = makeDoorbells(2);
  const worker = new Worker(new URL("./workers/ring-producer.ts", import.meta.url));
  worker.postMessage({ ring, bells, messageCount, payloadBytesMax } satisfies RingJob);

  const consumer = new RingConsumer(ring);
  const arrived = new Doorbell(bells, 0);
  const room = new Doorbell(bells, 1);
  let received = 0;
  let receivedBytes = 0;
  let damaged = 0;
  while (received < messageCount) {
    const seen = arrived.read();
    const at = consumer.peek();
    if (at < 0) {
      expect(await arrived.waitAsync(seen, 10_000)).toBe(true);
      continue;
    }
    const bytes = payloadBytesOf(received, payloadBytesMax);
    const isWhole =
      consumer.payloadBytes === bytes &&
      consumer.words[at >>> 2] === received &&
      consumer.words[(at >>> 2) + 1] === bytes &&
      consumer.bytes.subarray(at + 8, at + bytes).every((byte) => byte === (received & 255));
    if (!isWhole) damaged += 1;
    received += 1;
    receivedBytes += bytes;
    consumer.release();
    room.ring();
  }
  expect(damaged).toBe(0);
  expect(consumer.peek()).toBe(-1);
  let sentBytes = 0;
  for (let index = 0; index < messageCount; index++) sentBytes += payloadBytesOf(index, payloadBytesMax);
  expect(receivedBytes).toBe(sentBytes);
  worker.terminate();
}, 30_000);

test("RingProducer and RingConsumer behave as a queue of byte strings", () => {
  const random = new Random(entropySeed());
  const capacity = 1024;
  const ring = makeRing(capacity);
  const producer = new RingProducer(ring);
  const consumer = new RingConsumer(ring);
  const model: string[] = [];
  for (let step = 0; step < 20_000; step++) {
    if (random.float() < 0.55) {
      const text = "x".repeat(random.below(200)) + step;
      const at = producer.reserve(text.length);
      if (at >= 0) {
        producer.bytes.set(Buffer.from(text), at);
        producer.commit();
        model.push(text);
      } else {
        // What is in it, the message itself, and what skipping the end may waste: less than the longest message.
        const held = model.reduce((sum, each) => sum + 16 + each.length, 0);
        expect(held + text.length + 16 + 232, `seed ${random.seed}`).toBeGreaterThan(capacity);
      }
    } else {
      const at = consumer.peek();
      const expected = model.shift();
      if (expected === undefined) {
        expect(at).toBe(-1);
      } else {
        const text = Buffer.from(consumer.bytes.subarray(at, at + consumer.payloadBytes)).toString();
        expect(text, `step ${step}, seed ${random.seed}`).toBe(expected);
        consumer.release();
      }
    }
  }
  expect(producer.isEmpty).toBe(model.length === 0);
});

test("RingProducer answers -1 when the ring is full, and takes more once something is released", () => {
  const ring = makeRing(64);
  const producer = new RingProducer(ring);
  const consumer = new RingConsumer(ring);
  for (let i = 0; i < 4; i++) {
    expect(producer.reserve(8)).toBe(i * 16 + 8);
    producer.commit();
  }
  expect(producer.reserve(0)).toBe(-1);
  expect(consumer.waitingBytes).toBe(64);
  expect(consumer.peek()).toBe(8);
  consumer.release();
  expect(producer.reserve(8)).toBe(8);
});

test("RingProducer.reserve takes a message of half the capacity wherever the ring stands, and no longer one", () => {
  const ring = makeRing(256);
  const producer = new RingProducer(ring);
  const consumer = new RingConsumer(ring);
  expect(producer.payloadBytesMax).toBe(120);
  for (let round = 0; round < 64; round++) {
    expect(producer.reserve(120)).toBeGreaterThan(0);
    producer.commit();
    expect(consumer.peek()).toBeGreaterThan(0);
    expect(consumer.payloadBytes).toBe(120);
    consumer.release();
    expect(producer.reserve(0)).toBeGreaterThan(0);
    producer.commit();
    consumer.peek();
    consumer.release();
  }
  expect(() => producer.reserve(121)).toThrow(BugError);
});

test("RingProducer.reserve without a commit is replaced by the next", () => {
  const ring = makeRing(256);
  const producer = new RingProducer(ring);
  const consumer = new RingConsumer(ring);
  producer.bytes.fill(1, producer.reserve(100), 100);
  expect(consumer.peek()).toBe(-1);
  producer.words[producer.reserve(4) >>> 2] = 42;
  producer.commit();
  expect(consumer.words[consumer.peek() >>> 2]).toBe(42);
  expect(consumer.payloadBytes).toBe(4);
  expect(() => producer.commit()).toThrow(BugError);
});

test("Ring counts go on past 2^32 units", () => {
  const ring = makeRing(64);
  const counts = new Int32Array(ring, 0, 32);
  // As after 32 GiB of messages: both counts just below the wrap.
  counts[0] = -3;
  counts[16] = -3;
  const producer = new RingProducer(ring);
  const consumer = new RingConsumer(ring);
  for (let i = 0; i < 20; i++) {
    producer.words[producer.reserve(4) >>> 2] = i;
    producer.commit();
    expect(consumer.words[consumer.peek() >>> 2]).toBe(i);
    consumer.release();
  }
});
