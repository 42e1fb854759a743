/** Uses: what the home writer makes of them, and how API workers tell of them. */
import { expect, test } from "bun:test";
import { strengthAfterUse } from "../../../src/cognition/co-use.ts";
import { nextTraits } from "../../../src/cognition/use.ts";
import { LogApplier } from "../../../src/engine/log-applier.ts";
import { readTraits } from "../../../src/engine/mind/node-traits.ts";
import { TRAITS_AT_BIRTH } from "../../../src/engine/mind/traits-record.ts";
import { UsePlanner } from "../../../src/engine/mind/use-plan.ts";
import { UseReporter } from "../../../src/engine/mind/use-reporter.ts";
import { decodeUses, type NodeUse } from "../../../src/engine/mind/use-request.ts";
import type { SpaceRoot } from "../../../src/engine/space-table.ts";
import type { WriteClient, WriteRequest } from "../../../src/engine/write-client.ts";
import { LOG_KIND } from "../../../src/layout/log-payload.ts";
import { WRITE_OUTCOME } from "../../../src/layout/write-message.ts";
import { SpaceUnderTest } from "../space-under-test.ts";
import { hashOf } from "./mind-under-test.ts";

const RULES = { curve: "power", stabilityHours: 168 } as const;
const DAY_MS = 86_400_000;

function use(id: string, how: NodeUse["how"], atMs: number, group = 0): Required<NodeUse> {
  return { node: hashOf(id), how, atMs, group };
}

/** Plans uses and applies them, as a home writer does. */
function applied(space: SpaceUnderTest, uses: readonly Required<NodeUse>[]) {
  const { payload, done } = new UsePlanner().plan(space.current.mind, uses, RULES);
  if (payload.byteLength > 0) new LogApplier().apply(space.current, LOG_KIND.compound, payload.slice(), 1);
  return done;
}

function traitsOf(space: SpaceUnderTest, id: string) {
  const { slotOf, arenas } = space.current;
  return readTraits(arenas.headers, slotOf(hashOf(id)), { ...TRAITS_AT_BIRTH });
}

test("UsePlanner: a node's uses follow one on the other, from when it was stored and the space's half-life", () => {
  const space = new SpaceUnderTest();
  space.remember({ id: "a", content: "x" });
  const uses = [
    use("a", "retrieved", DAY_MS),
    use("a", "reinforced", 3 * DAY_MS),
    use("gone", "retrieved", 1),
  ];
  expect(applied(space, uses)).toEqual([1, 1, 0]);
  // Stored at 6 ms, as the harness does.
  const born = { ...TRAITS_AT_BIRTH, lastUsedMs: 6, stabilityHours: RULES.stabilityHours };
  const once = nextTraits(born, "retrieved", DAY_MS, RULES.curve);
  const twice = nextTraits(once, "reinforced", 3 * DAY_MS, RULES.curve);
  const found = traitsOf(space, "a");
  expect(found.useCount).toBe(2);
  expect(found.lastUsedMs).toBe(3 * DAY_MS);
  expect(found.stabilityHours).toBeCloseTo(twice.stabilityHours, 3);
  expect(found.importance).toBeCloseTo(twice.importance, 6);
});

test("UsePlanner: a node that was only primed counts no use", () => {
  const space = new SpaceUnderTest();
  space.remember({ id: "a", content: "x" });
  expect(applied(space, [use("a", "primed", DAY_MS)])).toEqual([0, 0, 1]);
  expect(traitsOf(space, "a")).toEqual({ ...TRAITS_AT_BIRTH, lastActivation: 1 });
});

test("UsePlanner: bindings between nodes that were used together get stronger, at both ends, and no others", () => {
  const space = new SpaceUnderTest();
  for (const id of ["a", "b", "c"]) space.remember({ id, content: id });
  const { mind, slotOf } = space.current;
  const [a, b, c] = ["a", "b", "c"].map((id) => slotOf(hashOf(id))) as [number, number, number];
  const state = { strength: 0.5, lastUsedSeconds: 1, useCount: 3 };
  mind.bindings.set(b, a, 2, state);
  mind.bindings.set(b, c, 2, state);
  applied(space, [
    use("a", "retrieved", DAY_MS, 1),
    use("b", "retrieved", DAY_MS, 1),
    use("c", "retrieved", DAY_MS, 2),
  ]);
  const strengths = [mind.bindings.at(a, 0), mind.bindings.at(b, 0), mind.bindings.at(b, 1)];
  const stronger = { strength: Math.fround(strengthAfterUse(0.5)), lastUsedSeconds: 86_400, useCount: 4 };
  expect(strengths[0]).toMatchObject(stronger);
  expect(strengths[1]).toMatchObject(stronger);
  expect(strengths[2]).toMatchObject(state);
});

/** A client that keeps what it is asked for, and answers as it is told. */
function clientUnderTest(answer: () => number) {
  const requests: WriteRequest[] = [];
  const request = async (_writer: number, asked: WriteRequest) => {
    requests.push({ ...asked, payload: asked.payload.slice() });
    return { outcome: answer(), extra: 1, sequence: 1 };
  };
  return { requests, client: { request } as unknown as WriteClient };
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!condition() && performance.now() < deadlineMs) await Bun.sleep(5);
  expect(condition()).toBe(true);
}

const ROOT = { spaceIndex: 3, load: () => 0 } as unknown as SpaceRoot;

test("UseReporter tells of a memory once, of what came up together in one group, and of the ten best", async () => {
  const { requests, client } = clientUnderTest(() => WRITE_OUTCOME.done);
  const reporter = new UseReporter({ client, wallClock: () => 5, passedOver: () => {} });
  reporter.recalled(ROOT, 7, [{ id: "a" }, { id: "b" }]);
  reporter.recalled(ROOT, 7, [{ id: "b" }, { id: "c" }]);
  reporter.recalled(ROOT, 7, []);
  reporter.recalled(
    ROOT,
    8,
    Array.from({ length: 30 }, (_, i) => ({ id: `m${i}` })),
  );
  await until(() => requests.length === 2);
  expect(requests.map((each) => [each.spaceIndex, each.spaceGeneration, each.ack])).toEqual([
    [3, 7, "memory"],
    [3, 8, "memory"],
  ]);
  expect(decodeUses(requests[0]!.payload)).toEqual([
    use("a", "retrieved", 5, 1),
    use("b", "retrieved", 5, 1),
    use("c", "retrieved", 5, 2),
  ]);
  expect(decodeUses(requests[1]!.payload)).toHaveLength(10);
  reporter.close();
});

test("UseReporter passes over what is too much, and what the writer does not take, and goes on", async () => {
  let isFull = true;
  const { requests, client } = clientUnderTest(() => (isFull ? WRITE_OUTCOME.diskFull : WRITE_OUTCOME.done));
  let passedOver = 0;
  const reporter = new UseReporter({
    client,
    wallClock: () => 5,
    passedOver: (recalls) => {
      passedOver += recalls;
    },
  });
  for (let i = 0; i < 300; i++) reporter.recalled(ROOT, 1, [{ id: `m${i}` }]);
  expect(passedOver).toBe(44);
  await until(() => passedOver === 300);
  isFull = false;
  const before = requests.length;
  reporter.recalled(ROOT, 1, [{ id: "later" }]);
  await until(() => requests.length === before + 1);
  expect(passedOver).toBe(300);
  reporter.close();
});
