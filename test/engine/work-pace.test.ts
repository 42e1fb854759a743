import { expect, test } from "bun:test";
import { WorkPace } from "../../src/engine/work-pace.ts";

test("WorkPace takes most of a core while nobody asks, and little while somebody does", () => {
  let operations = 0;
  let nowMs = 0;
  const pace = new WorkPace({ operations: () => operations, nowMs: () => nowMs });
  nowMs += 100;
  const idle = pace.next();
  operations += 50;
  nowMs += 100;
  const busy = pace.next();
  expect(busy.sliceMs / (busy.sliceMs + busy.restMs)).toBeLessThan(0.05);
  expect(idle.sliceMs / (idle.sliceMs + idle.restMs)).toBeGreaterThan(0.9);
  // One operation now and then is no load, and too short a look changes nothing.
  nowMs += 10;
  expect(pace.next()).toEqual(busy);
  operations += 1;
  nowMs += 100;
  expect(pace.next()).toEqual(idle);
});
