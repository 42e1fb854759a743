import { expect, test } from "bun:test";
import { Doorbell, makeDoorbells } from "../../src/shm/doorbell.ts";
import type { BellJob } from "./workers/bell-ringer.ts";

test("Doorbell loses no ring in thousands of rounds between two threads", async () => {
  const bells = makeDoorbells(2);
  const roundCount = 5000;
  const worker = new Worker(new URL("./workers/bell-ringer.ts", import.meta.url));
  worker.postMessage({ bells, roundCount } satisfies BellJob);
  const theirs = new Doorbell(bells, 0);
  const mine = new Doorbell(bells, 1);
  for (let round = 0; round < roundCount; round++) {
    const seen = mine.read();
    theirs.ring();
    // Half of the rounds sleep in the thread, half in the event loop.
    while (mine.read() === seen) {
      const isAwake = round % 2 === 0 ? mine.wait(seen, 10_000) : await mine.waitAsync(seen, 10_000);
      expect(isAwake, `round ${round}`).toBe(true);
    }
    expect(mine.read()).toBe(round + 1);
  }
  worker.terminate();
}, 30_000);

test("Doorbell.wait returns at once when it was rung after it was read", () => {
  const bell = new Doorbell(makeDoorbells(1));
  const seen = bell.read();
  bell.ring();
  expect(bell.wait(seen)).toBe(true);
});

test("Doorbell.wait and waitAsync say when the time is over", async () => {
  const bell = new Doorbell(makeDoorbells(1));
  expect(bell.wait(bell.read(), 1)).toBe(false);
  expect(await bell.waitAsync(bell.read(), 1)).toBe(false);
  const seen = bell.read();
  bell.ring();
  expect(await bell.waitAsync(seen, 1000)).toBe(true);
});
