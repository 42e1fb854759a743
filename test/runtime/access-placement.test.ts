import { expect, test } from "bun:test";
import { adaptivePolicy, placeByAccess } from "../../src/runtime/access-placement.ts";

test("placeByAccess follows one node's readers, spreads over all where all read, and stays home until it knows", () => {
  const place = (first: number, second: number) =>
    placeByAccess(
      new Map([
        [0, first],
        [2, second],
      ]),
      0,
    );
  expect(place(10, 900)).toEqual({ node: 0 });
  expect(place(100, 900)).toEqual({ node: 2 });
  expect(place(5000, 100)).toEqual({ node: 0 });
  expect(place(3000, 2500)).toEqual({ interleaveNodes: [0, 2] });
});

test("adaptivePolicy asks for memory where it was read since the last look", () => {
  const recalls = new Map([
    [0, 0],
    [1, 0],
  ]);
  const policy = adaptivePolicy({ hugePages: "off" }, 0, () => recalls);
  expect([policy.node, policy.interleaveNodes]).toEqual([0, undefined]);
  recalls.set(1, 2000);
  expect([policy.node, policy.interleaveNodes]).toEqual([1, undefined]);
  // Few recalls change nothing.
  recalls.set(0, 500);
  expect(policy.node).toBe(1);
  recalls.set(0, 3000);
  recalls.set(1, 4500);
  expect([policy.node, policy.interleaveNodes]).toEqual([undefined, [0, 1]]);
});
