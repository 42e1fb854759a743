import { expect, test } from "bun:test";
import { type Moment, tiesInTime } from "../../../src/engine/association/neighbours.ts";
import { BINDING_KIND } from "../../../src/layout/binding.ts";

const RULES = { window: 3, sessionGapMs: 60_000 };

function moment(slot: number, timestampMs: number, session?: string): Moment {
  return { slot, timestampMs, session };
}

test("tiesInTime binds the nearest in time, each half as strongly as the one before", () => {
  const earlier = [moment(0, 0), moment(1, 50_000), moment(2, 55_000), moment(3, 58_000), moment(4, 59_000)];
  expect(tiesInTime(moment(5, 60_000), earlier, RULES)).toEqual([
    { slot: 4, kind: BINDING_KIND.temporal, strength: 1 },
    { slot: 3, kind: BINDING_KIND.temporal, strength: 0.5 },
    { slot: 2, kind: BINDING_KIND.temporal, strength: 0.25 },
  ]);
});

test("tiesInTime goes by the order of storing where times are the same", () => {
  const earlier = [moment(0, 7), moment(1, 7), moment(2, 7)];
  expect(tiesInTime(moment(3, 7), earlier, RULES).map(({ slot }) => slot)).toEqual([2, 1, 0]);
});

test("tiesInTime binds what came in another order than it happened by when it happened", () => {
  const earlier = [moment(0, 30_000), moment(1, 10_000)];
  expect(tiesInTime(moment(2, 25_000), earlier, RULES).map(({ slot }) => slot)).toEqual([0, 1]);
});

test("tiesInTime holds to sessions where both name one, however far apart in time", () => {
  const earlier = [moment(0, 0, "a"), moment(1, 900_000, "b"), moment(2, 900_000)];
  expect(tiesInTime(moment(3, 900_001, "a"), earlier, RULES)).toEqual([
    { slot: 2, kind: BINDING_KIND.temporal, strength: 1 },
    { slot: 0, kind: BINDING_KIND.session, strength: 0.5 },
  ]);
});

test("tiesInTime binds nothing that is further apart than the gap, and nothing with a window of 0", () => {
  expect(tiesInTime(moment(1, 60_001), [moment(0, 0)], RULES)).toEqual([]);
  expect(tiesInTime(moment(1, 1), [moment(0, 0)], { ...RULES, window: 0 })).toEqual([]);
});
