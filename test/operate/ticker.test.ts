import { expect, test } from "bun:test";
import { listenToTicks } from "../../src/operate/load/ticker.ts";
import { TICK_COUNT } from "../../src/operate/load/ticker-thread.ts";

test("listenToTicks knows when the schedule began, also where it was kept from seeing the first ticks", async () => {
  const buffer = new SharedArrayBuffer(8);
  const words = new Int32Array(buffer);
  const heard: number[] = [];
  const listener = listenToTicks(buffer, 1, (startedMs) => heard.push(startedMs));
  // A hundred ticks at once, as a thread sees them that had no core for 100 ms.
  Atomics.add(words, TICK_COUNT, 100);
  Atomics.notify(words, TICK_COUNT);
  await Bun.sleep(20);
  listener.stop();
  expect(heard.length).toBeGreaterThan(0);
  for (const startedMs of heard) {
    expect(Math.abs(startedMs - performance.now())).toBeLessThan(1000);
  }
});
