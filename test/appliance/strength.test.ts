/** What age, competition and a moment in the past do to a recall, as HTTP sees it, with each switched on and off. */
import { expect, test } from "bun:test";
import { answered } from "../support/appliance-client.ts";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";

const HOUR_MS = 3_600_000;
const BASE = { "thread_pools.api_workers": 1 };

test("retention falls by the space's curve, lowers the score by a bounded part, and can leave out what has faded", async () => {
  using directory = new ScratchDirectory("retention");
  const start = { data: directory.data, settings: BASE };
  const query = "Where does Ada live?";
  let scoreNow = 0;
  let storedAtMs = 0;
  {
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    const forgetting = { curve: "exponential" as const, stability_hours: 24 };
    answered(await client.createSpace({ name: "own", forgetting }));
    answered(await client.remember({ id: "lisbon", content: "Ada lives in Lisbon now" }, "own"));
    storedAtMs = Date.parse(answered(await client.get("lisbon", "own")).stored_at);
    const recallAt = async (hours: number, fading?: "include" | "exclude") =>
      answered(
        await client.recall(
          { query, explain: true, as_of: storedAtMs + hours * HOUR_MS, ...(fading && { fading }) },
          "own",
        ),
      );
    const [now, aDay, tenDays] = [await recallAt(0), await recallAt(24), await recallAt(240)];
    scoreNow = now.memories[0]!.score;
    expect(now.memories[0]!.why!.strength).toMatchObject({ retention: 1, uses: 0, factor: 1 });
    const after = aDay.memories[0]!;
    expect(after.why!.strength!.retention).toBeCloseTo(0.5, 5);
    expect(after.why!.strength!.factor).toBeCloseTo(1 - 0.15 * 0.5, 5);
    expect(after.score).toBeCloseTo(scoreNow * (1 - 0.15 * 0.5), 4);
    // Hardly anything is left, and the score still is 85 % of what the text earned.
    expect(tenDays.memories[0]!.why!.strength!.retention).toBeLessThan(0.001);
    expect(tenDays.memories[0]!.score / scoreNow).toBeWithin(0.849, 0.852);
    expect((await recallAt(240, "exclude")).memories).toEqual([]);
    expect((await recallAt(24, "exclude")).memories).toHaveLength(1);
    // Vectors and words alone are measured by themselves.
    const words = answered(
      await client.recall({ query, mode: "words", as_of: storedAtMs + 240 * HOUR_MS, explain: true }, "own"),
    );
    expect(words.memories[0]!.why!.strength!.factor).toBe(1);
  }
  await using off = await ApplianceProcess.start({
    ...start,
    settings: { ...BASE, "forgetting.enabled": false },
  });
  const later = answered(
    await off.client.recall({ query, explain: true, as_of: storedAtMs + 240 * HOUR_MS }, "own"),
  );
  expect(later.memories[0]!.score).toBeCloseTo(scoreNow, 5);
  expect(later.memories[0]!.why!.strength).toMatchObject({ factor: 1 });
}, 60_000);

test("a recall as of a moment does not see what was stored later, in any mode", async () => {
  using directory = new ScratchDirectory("as-of");
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: BASE });
  const { client } = appliance;
  const texts = ["Ada lives in Lisbon", "Ada moved to Porto", "Ada lives in Faro by the sea"];
  const storedAtMs: number[] = [];
  for (const [i, content] of texts.entries()) {
    answered(await client.remember({ id: `m${i}`, content }));
    storedAtMs.push(Date.parse(answered(await client.get(`m${i}`)).stored_at));
    await Bun.sleep(5);
  }
  for (const mode of ["hybrid", "vector", "words"] as const) {
    for (const [i, as_of] of storedAtMs.entries()) {
      const recalled = answered(await client.recall({ query: "Ada lives", mode, as_of }));
      expect(recalled.memories.map(({ id }) => id).sort()).toEqual(
        Array.from({ length: i + 1 }, (_, earlier) => `m${earlier}`),
      );
      expect(recalled.as_of).toMatchObject({ at: new Date(as_of).toISOString(), used_since: 0 });
      expect(recalled.as_of!.notes[0]).toContain("forgotten or replaced");
    }
  }
  const before = answered(await client.recall({ query: "Ada lives", as_of: storedAtMs[0]! - 1 }));
  expect(before.memories).toEqual([]);
}, 30_000);

test("memories that are alike and near in time interfere; far apart, or switched off, they do not", async () => {
  using directory = new ScratchDirectory("interference");
  const settings = { ...BASE, "interference.weight": 0.5 };
  const parking = (day: number) => `The car is parked on level ${day} of the garage`;
  const shares = async (appliance: ApplianceProcess, space: string) => {
    const query = { query: "Where is the car parked in the garage?", explain: true };
    const { memories } = answered(await appliance.client.recall(query, space));
    return memories.map(({ why }) => why!.interference);
  };
  {
    await using appliance = await ApplianceProcess.start({ data: directory.data, settings });
    for (const [space, stepMs] of [
      ["near", HOUR_MS],
      ["far", 1000 * HOUR_MS],
    ] as const) {
      for (let day = 0; day < 6; day++) {
        const timestamp = Date.UTC(2024, 0, 1) + day * stepMs;
        answered(await appliance.client.remember({ content: parking(day), timestamp }, space));
      }
    }
    const near = await shares(appliance, "near");
    expect(near).toHaveLength(6);
    for (const each of near) {
      expect(each!.share).toBeWithin(0.5, 0.9);
      expect(each!.share + each!.proactive + each!.retroactive).toBeCloseTo(1, 5);
      expect(each!.factor).toBeCloseTo(1 - 0.5 * (1 - each!.share), 5);
    }
    // The oldest has nothing before it, the newest nothing after it.
    expect(near.filter((each) => each!.proactive === 0)).toHaveLength(1);
    expect(near.filter((each) => each!.retroactive === 0)).toHaveLength(1);
    for (const each of await shares(appliance, "far")) expect(each!.share).toBeGreaterThan(0.999);
  }
  await using off = await ApplianceProcess.start({
    data: directory.data,
    settings: { ...settings, "interference.enabled": false },
  });
  expect(await shares(off, "near")).toEqual(new Array(6).fill(undefined));
}, 60_000);
