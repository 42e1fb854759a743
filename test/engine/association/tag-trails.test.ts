import { expect, test } from "bun:test";
import { TagTrails } from "../../../src/engine/association/tag-trails.ts";

test("TagTrails keeps the last memories of a tag, the latest first, and counts all", () => {
  const trails = new TagTrails(2);
  for (const slot of [3, 5, 9]) trails.add("trip", slot);
  trails.add("work", 4);
  expect(trails.of("trip")).toEqual({ count: 3, slots: [9, 5] });
  expect(trails.of("work")).toEqual({ count: 1, slots: [4] });
  expect(trails.of("none")).toEqual({ count: 0, slots: [] });
});

test("TagTrails drops the tag met longest ago once there are too many", () => {
  const trails = new TagTrails(1);
  for (let tag = 0; tag < 65_536; tag++) trails.add(`t${tag}`, tag);
  trails.add("t0", 70_000);
  trails.add("new", 70_001);
  expect(trails.of("t0").count).toBe(2);
  expect(trails.of("t1").count).toBe(0);
});
