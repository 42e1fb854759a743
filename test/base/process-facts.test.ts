import { expect, test } from "bun:test";
import {
  openFileCount,
  processLimits,
  processMemory,
  residentByNode,
  threadCount,
} from "../../src/base/process-facts.ts";

test("processMemory grows with what is touched", () => {
  const before = processMemory();
  const block = new Uint8Array(32 * 1024 * 1024).fill(1);
  const after = processMemory();
  expect(after.residentBytes - before.residentBytes).toBeGreaterThan(24 * 1024 * 1024);
  expect(after.anonymousBytes).toBeLessThanOrEqual(after.residentBytes);
  expect(block[5]).toBe(1);
});

test("residentByNode adds up to about the resident memory", () => {
  const byNode = residentByNode();
  if (byNode === undefined) return; // a kernel without NUMA
  const sum = [...byNode.values()].reduce((total, bytes) => total + bytes, 0);
  expect(sum / processMemory().residentBytes).toBeGreaterThan(0.8);
  expect(sum / processMemory().residentBytes).toBeLessThan(1.25);
});

test("threadCount, openFileCount and processLimits are those of a running process", () => {
  expect(threadCount()).toBeGreaterThan(0);
  expect(openFileCount()).toBeGreaterThan(2);
  expect(processLimits().openFiles).toBeGreaterThan(openFileCount());
});
