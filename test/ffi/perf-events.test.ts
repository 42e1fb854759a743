import { expect, test } from "bun:test";
import { PERF_GROUP_TIMES, PERF_TYPE, perfEvents } from "../../src/ffi/perf-events.ts";
import { threadId } from "../../src/ffi/threads.ts";

const TASK_CLOCK = { type: PERF_TYPE.software, config: 1 };
const PAGE_FAULTS = { type: PERF_TYPE.software, config: 2 };

function spin(ms: number): void {
  const endAtMs = performance.now() + ms;
  while (performance.now() < endAtMs);
}

test("perfEvents counts a thread's time and faults since the last reading", () => {
  const here = { threadId: threadId(), isUserOnly: true };
  const leader = perfEvents.open({ ...here, event: TASK_CLOCK, group: undefined });
  if (typeof leader === "string") {
    expect(["EACCES", "EPERM", "ENOSYS"]).toContain(leader);
    console.warn(`skipped: perf_event_open answers ${leader} to this user`);
    return;
  }
  const faults = perfEvents.open({ ...here, event: PAGE_FAULTS, group: leader });
  expect(faults).toBeNumber();
  const totals = new BigUint64Array(PERF_GROUP_TIMES + 2);
  const since = new Float64Array(PERF_GROUP_TIMES + 2);
  spin(5);
  expect(perfEvents.read(leader, totals, since)).toBeUndefined();
  expect([...since]).toEqual([0, 0, 0, 0]); // it stands still until it is started
  expect(perfEvents.start(leader)).toBeUndefined();
  spin(20);
  const touched = new Uint8Array(8 * 1024 * 1024).fill(1);
  expect(perfEvents.read(leader, totals, since)).toBeUndefined();
  expect(touched.length).toBeGreaterThan(0);
  expect(since[2]).toBeGreaterThan(1e6);
  expect(since[0]).toBe(since[1]!);
  const first = since[2]!;
  spin(2);
  expect(perfEvents.read(leader, totals, since)).toBeUndefined();
  expect(since[2]).toBeGreaterThan(0);
  expect(Number(totals[2])).toBe(first + since[2]!);
  perfEvents.close(faults as number);
  perfEvents.close(leader);
  expect(perfEvents.read(leader, totals, since)).toBe("EBADF");
});

test("perfEvents names the errno of what can not be had", () => {
  const here = { threadId: threadId(), isUserOnly: true, group: undefined };
  expect(perfEvents.open({ ...here, event: { type: PERF_TYPE.cache, config: 0xff } })).toBeString();
  expect(perfEvents.open({ ...here, event: TASK_CLOCK, threadId: 0 })).toBe("EINVAL");
  expect(["ESRCH", "EACCES", "EPERM", "ENOSYS"]).toContain(
    perfEvents.open({ ...here, event: TASK_CLOCK, threadId: 2 ** 22 + 1 }) as string,
  );
});
