import { expect, test } from "bun:test";
import { openTickClock } from "../../src/ffi/tick-clock.ts";

test("openTickClock says where its time comes from, and why where it is not the counter", () => {
  const clock = openTickClock();
  if (clock.source === "system") expect(clock.reason?.length).toBeGreaterThan(5);
  else expect(clock.nsPerTick).toBeGreaterThan(0);
});

test("openTickClock never goes back, and keeps the system clock's pace to a part in a thousand", async () => {
  const { nowNs } = openTickClock();
  let previous = nowNs();
  for (let i = 0; i < 100_000; i++) {
    const now = nowNs();
    expect(now >= previous).toBe(true);
    previous = now;
  }
  const tickBegin = nowNs();
  const systemBegin = Bun.nanoseconds();
  await Bun.sleep(100);
  const ratio = (nowNs() - tickBegin) / (Bun.nanoseconds() - systemBegin);
  // On an emulated machine the two readings alone are a millisecond apart.
  expect(Math.abs(ratio - 1)).toBeLessThan(process.env["NUMA_LAB"] === "1" ? 0.2 : 1e-3);
});

test("openTickClock keeps its origin and rate when it is opened again", () => {
  const first = openTickClock();
  const second = openTickClock();
  expect(second.nsPerTick).toBe(first.nsPerTick as number);
  const begin = first.nowNs();
  expect(second.nowNs() - begin).toBeLessThan(1e9);
});
