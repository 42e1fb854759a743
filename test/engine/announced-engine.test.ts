import { expect, test } from "bun:test";
import { AnnouncedEngine } from "../../src/engine/announced-engine.ts";
import { SILENT_ENGINE_METER, SILENT_SLOW_METER } from "../../src/engine/meters.ts";
import { SpaceTable } from "../../src/engine/space-table.ts";
import { EVENT_KINDS } from "../../src/layout/event.ts";
import { EventWriter, listenTo, makeEventMemory, readersOf } from "../../src/shm/event-writer.ts";
import { NaiveEngine } from "./naive-engine.ts";

function announced() {
  const memory = makeEventMemory(1);
  const [reader] = readersOf(memory);
  const engine = new AnnouncedEngine(
    new NaiveEngine({ dimensions: 2 }),
    SILENT_ENGINE_METER,
    new SpaceTable(SpaceTable.allocate(1)),
    { events: new EventWriter(memory, 0, Date.now), slow: SILENT_SLOW_METER },
  );
  const told = () => {
    const events: unknown[] = [];
    while (reader!.read(-1)) events.push([EVENT_KINDS[reader!.kind], JSON.parse(reader!.text())]);
    return events;
  };
  return { memory, engine, told };
}

test("AnnouncedEngine tells what was formed, recalled and forgotten, in that order and once", async () => {
  const { memory, engine, told } = announced();
  listenTo(memory, ["formed", "recalled", "forgotten"], Date.now());
  const ack = { ack: "memory" } as const;
  await engine.remember("default", [{ id: "a", content: "tea in the garden" }], ack);
  await engine.remember("default", [{ id: "a", content: "tea in the hall", ifExists: "replace" }], ack);
  await engine.remember("default", [{ id: "a", content: "not stored", ifExists: "keep" }], ack);
  const [refusal] = await engine.remember("default", [{ id: "a", content: "refused" }], ack);
  expect(refusal).toBeInstanceOf(Error);
  const recalled = await engine.recall("default", { query: "tea", limit: 5, mode: "words" });
  await engine.forget("default", "a", ack);
  await expect(engine.forget("default", "a", ack)).rejects.toThrow();
  expect(told()).toEqual([
    ["formed", { space: "default", id: "a", outcome: "stored" }],
    ["formed", { space: "default", id: "a", outcome: "replaced" }],
    [
      "recalled",
      {
        space: "default",
        mode: "words",
        count: 1,
        memories: [{ id: "a", score: recalled.memories[0]!.score }],
        took_ms: recalled.tookMs,
      },
    ],
    ["forgotten", { space: "default", id: "a", reason: "asked" }],
  ]);
});

test("AnnouncedEngine tells nothing while nobody listens, and only the kinds that somebody listens to", async () => {
  const { memory, engine, told } = announced();
  const ack = { ack: "memory" } as const;
  await engine.remember("default", [{ id: "a", content: "one" }], ack);
  const leave = listenTo(memory, ["recalled"], Date.now());
  await engine.remember("default", [{ id: "b", content: "two" }], ack);
  await engine.recall("default", { query: "two", limit: 5, mode: "words" });
  leave();
  await engine.recall("default", { query: "two", limit: 5, mode: "words" });
  expect(told()).toEqual([["recalled", expect.objectContaining({ count: 1, space: "default" })]]);
});
