/** Memories fade and are never lost: what was reinforced outlives what was not, and what has faded is listed. */
import { expect, test } from "bun:test";
import type { z } from "zod";
import type { fadingReply, reinforcedReply } from "../../src/api/memories.contract.ts";
import { type ApplianceClient, answered } from "../support/appliance-client.ts";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";

type FadingReply = z.output<typeof fadingReply>;
type ReinforcedReply = z.output<typeof reinforcedReply>;

/** Recalls would be uses, too; here only what the test says is one. */
const SETTINGS = {
  "thread_pools.api_workers": 1,
  "forgetting.learn_from_recall": false,
  "priming.enabled": false,
};
const HOUR_MS = 3_600_000;

async function fading(client: ApplianceClient, query: string): Promise<FadingReply> {
  return answered(await client.call<FadingReply>("GET", `/api/v1/memories/fading?${query}`));
}

async function reinforce(client: ApplianceClient, id: string): Promise<ReinforcedReply> {
  return answered(await client.call<ReinforcedReply>("POST", `/api/v1/memories/${id}/reinforce`));
}

for (const curve of ["exponential", "power", "two-component"] as const) {
  test(`a reinforced memory outlives one that was not, on the ${curve} curve, through kill -9`, async () => {
    using directory = new ScratchDirectory("reinforce");
    const settings = { ...SETTINGS, "forgetting.curve": curve, "forgetting.stability_hours": 1 };
    const start = { data: directory.data, settings };
    const at = Date.now() + 24 * HOUR_MS;
    const strengths = async (client: ApplianceClient) => {
      const recalled = answered(
        await client.recall({ query: "The key lies under the stone", explain: true, as_of: at }),
      );
      return new Map(recalled.memories.map(({ id, why, score }) => [id, { ...why!.strength!, score }]));
    };
    {
      await using appliance = await ApplianceProcess.start(start);
      const { client } = appliance;
      for (const id of ["said", "unsaid"]) {
        answered(await client.remember({ id, content: "The key lies under the stone by the door" }));
      }
      const before = await strengths(client);
      expect(before.get("said")!.retention).toBeCloseTo(before.get("unsaid")!.retention, 4);
      let importance = 0.5;
      for (let time = 1; time <= 3; time++) {
        const reinforced = await reinforce(client, "said");
        expect(reinforced.use_count).toBe(time);
        expect(reinforced.importance).toBeGreaterThan(importance);
        importance = reinforced.importance;
      }
      await appliance.kill();
    }
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    const after = await strengths(client);
    const [said, unsaid] = [after.get("said")!, after.get("unsaid")!];
    expect(said.uses).toBe(3);
    expect(said.stability_hours).toBeGreaterThan(unsaid.stability_hours * 1.2);
    expect(said.retention).toBeGreaterThan(unsaid.retention);
    expect(said.score).toBeGreaterThan(unsaid.score);
    // Between the two lies a floor under which one is a candidate for forgetting and the other is not.
    const floor = (said.retention + unsaid.retention) / 2;
    const page = await fading(client, `at=${at}&floor=${Math.max(0.001, floor).toFixed(6)}`);
    if (floor > 0.001) expect(page.memories.map(({ id }) => id)).toEqual(["unsaid"]);
  }, 60_000);
}

test("what has faded is listed page by page, still found, and back once it is reinforced", async () => {
  using directory = new ScratchDirectory("fading");
  const settings = {
    ...SETTINGS,
    "forgetting.curve": "exponential",
    // A half-life of 36 s: a thousandth is lost in 52 ms.
    "forgetting.stability_hours": 0.01,
  };
  await using appliance = await ApplianceProcess.start({
    data: directory.data,
    settings: { ...settings, "forgetting.floor": 0.999 },
  });
  const { client } = appliance;
  const ids = Array.from({ length: 5 }, (_, i) => `m${i}`);
  for (const id of ids) answered(await client.remember({ id, content: `memory ${id} of the attic` }));
  while ((await fading(client, "limit=50")).memories.length < ids.length) await Bun.sleep(20);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: FadingReply = await fading(client, `limit=2${cursor === null ? "" : `&cursor=${cursor}`}`);
    expect(page.memories.length).toBeLessThanOrEqual(2);
    expect(page.floor).toBe(0.999);
    for (const { id, retention, faded_at, last_used_at, use_count } of page.memories) {
      expect(retention).toBeLessThan(0.999);
      expect(Date.parse(faded_at)).toBeLessThan(Date.now());
      expect({ last_used_at, use_count }).toEqual({ last_used_at: null, use_count: 0 });
      seen.push(id);
    }
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(ids);

  // Nothing is lost: recall finds all of them, unless it is asked to leave out what has faded.
  const later = Date.now() + 24 * HOUR_MS;
  const query = { query: "memory of the attic", as_of: later };
  expect(answered(await client.recall(query)).memories).toHaveLength(ids.length);
  expect(answered(await client.recall({ ...query, fading: "exclude" })).memories).toEqual([]);

  const { last_used } = await reinforce(client, "m3");
  const soon = Date.parse(last_used);
  const page = await fading(client, `at=${soon}`);
  expect(page.memories.map(({ id }) => id)).toEqual(["m0", "m1", "m2", "m4"]);

  // As of a moment before it was reinforced, it is told that its uses until then are not known.
  const past = answered(await client.recall({ ...query, as_of: soon - 1, explain: true }));
  expect(past.as_of).toMatchObject({ used_since: 1 });
  expect(past.as_of!.notes).toHaveLength(2);
  const reinforced = past.memories.find(({ id }) => id === "m3")!;
  expect(reinforced.why!.strength).toMatchObject({ uses: 0, used_since: true });
  expect(await client.call("GET", "/api/v1/memories/fading?floor=2")).toMatchObject({
    status: 400,
    body: { code: "request-invalid", at: "floor" },
  });
}, 60_000);
