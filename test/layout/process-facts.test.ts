import { expect, test } from "bun:test";
import { threadPlaceFact, threadPlaceOf } from "../../src/layout/process-facts.ts";

test("threadPlaceOf reads what threadPlaceFact wrote, for every node and the largest thread id", () => {
  for (const threadId of [1, 4242, 2 ** 22]) {
    for (const node of [undefined, 0, 1, 63]) {
      expect(threadPlaceOf(threadPlaceFact(threadId, node))).toEqual({ threadId, node });
    }
  }
  expect(threadPlaceOf(0)).toBeUndefined();
});
