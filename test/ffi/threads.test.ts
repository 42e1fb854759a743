import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import {
  currentCpu,
  currentNode,
  setThreadCpus,
  setThreadMemoryPolicy,
  setThreadName,
  setThreadNice,
  threadCpus,
  threadId,
  threadUsage,
} from "../../src/ffi/threads.ts";

test("setThreadCpus keeps the thread to its cores, and threadCpus tells", () => {
  const before = threadCpus();
  expect(before).toContain(currentCpu());
  const last = before.at(-1)!;
  expect(setThreadCpus([last])).toBeUndefined();
  expect(threadCpus()).toEqual([last]);
  expect(currentCpu()).toBe(last);
  expect(setThreadCpus([1023])).toBe("EINVAL");
  expect(setThreadCpus(before)).toBeUndefined();
  expect(threadCpus()).toEqual(before);
});

test("setThreadName shows in /proc, cut to 15 bytes", () => {
  const path = `/proc/self/task/${threadId()}/comm`;
  const before = readFileSync(path, "utf8").trim();
  setThreadName("writer-0 of many nodes");
  expect(readFileSync(path, "utf8")).toBe("writer-0 of man\n");
  setThreadName(before);
});

test("setThreadNice lowers the priority, and says so where it may not raise it", () => {
  const nice = (): string =>
    readFileSync(`/proc/self/task/${threadId()}/stat`, "utf8").split(") ")[1]!.split(" ")[16]!;
  const before = Number(nice());
  expect(setThreadNice(threadId(), before + 1)).toBeUndefined();
  expect(Number(nice())).toBe(before + 1);
  expect([undefined, "EACCES", "EPERM"]).toContain(setThreadNice(threadId(), before));
});

test("setThreadMemoryPolicy takes the node the thread is on", () => {
  expect(setThreadMemoryPolicy("preferred", [currentNode()])).toBeUndefined();
  expect(setThreadMemoryPolicy("bound", [])).toBe("EINVAL");
  expect(setThreadMemoryPolicy("default")).toBeUndefined();
});

test("threadUsage grows with work", () => {
  const before = threadUsage();
  const endAtMs = performance.now() + 30;
  let spun = 0;
  while (performance.now() < endAtMs) spun += 1;
  expect(spun).toBeGreaterThan(0);
  expect(threadUsage().userSeconds + threadUsage().systemSeconds).toBeGreaterThan(
    before.userSeconds + before.systemSeconds,
  );
});
