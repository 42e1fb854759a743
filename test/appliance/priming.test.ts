/** What was used a moment ago raises its neighbours in the next recall, by a bounded part, and not for long. */
import { expect, test } from "bun:test";
import { type ApplianceClient, answered } from "../support/appliance-client.ts";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";

/** Everything else that makes a difference between equals is off. */
const BASE = {
  "thread_pools.api_workers": 1,
  "association.enabled": false,
  "activation.enabled": false,
  "forgetting.enabled": false,
  "interference.enabled": false,
};

/** Two memories that fit the query alike, one of them linked to a third, which is used just before. */
async function recalledAfterUse(client: ApplianceClient, pauseMs: number) {
  for (const id of ["left", "right", "prime"]) {
    const content = id === "prime" ? "Rui repairs bicycles" : "The lamp in the hall flickers at night";
    answered(await client.remember({ id, content }));
  }
  answered(
    await client.call("POST", "/api/v1/links", { source: "prime", destination: "right", strength: 1 }),
  );
  answered(await client.call("POST", "/api/v1/memories/prime/reinforce"));
  await Bun.sleep(pauseMs);
  const { memories } = answered(
    await client.recall({ query: "the lamp that flickers in the hall", explain: true, limit: 2 }),
  );
  return memories.map(({ id, why, score }) => ({ id, score, priming: why!.priming }));
}

test("a neighbour of what was just used comes first among equals, and explain says why", async () => {
  using directory = new ScratchDirectory("priming");
  await using appliance = await ApplianceProcess.start({
    data: directory.data,
    settings: { ...BASE, "priming.decay_s": 600 },
  });
  const [first, second] = await recalledAfterUse(appliance.client, 0);
  expect(first).toMatchObject({ id: "right", priming: { by: 1 } });
  expect(first!.priming!.primed).toBeWithin(0.9, 1.0001);
  expect(first!.priming!.factor).toBeWithin(1.09, 1.1001);
  expect(second).toMatchObject({ id: "left", priming: { primed: 0, by: 0, factor: 1 } });
  expect(first!.score / second!.score).toBeCloseTo(first!.priming!.factor, 2);
}, 60_000);

test("priming passes with its window, and can be switched off", async () => {
  for (const isOff of [false, true]) {
    using directory = new ScratchDirectory("unprimed");
    await using appliance = await ApplianceProcess.start({
      data: directory.data,
      settings: { ...BASE, "priming.enabled": !isOff, "priming.decay_s": isOff ? 600 : 0.1 },
    });
    const recalled = await recalledAfterUse(appliance.client, isOff ? 0 : 500);
    // Stored first, so first among equals.
    expect(recalled.map(({ id }) => id)).toEqual(["left", "right"]);
    for (const { priming } of recalled) {
      expect(priming).toEqual(isOff ? undefined : { primed: 0, by: 0, factor: 1 });
    }
  }
}, 60_000);

test("metrics tell what was left of what recalls answered, and in how many memories competed or were primed", async () => {
  using directory = new ScratchDirectory("weighed");
  await using appliance = await ApplianceProcess.start({
    data: directory.data,
    settings: { "thread_pools.api_workers": 1, "priming.decay_s": 600 },
  });
  await recalledAfterUse(appliance.client, 0);
  const figure = (text: string, series: string): number =>
    Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length + 1) ?? Number.NaN,
    );
  const names = {
    answered: "engram_recall_retention_count",
    left: "engram_recall_retention_sum",
    primed: 'engram_recalls_weighed_total{by="priming"}',
    competed: 'engram_recalls_weighed_total{by="interference"}',
  };
  let text = "";
  do {
    await Bun.sleep(100);
    text = await (await fetch(`${appliance.url}/metrics`)).text();
  } while (!(figure(text, names.answered) >= 1));
  expect(figure(text, names.left)).toBeWithin(0.9, 1.0001);
  expect(figure(text, names.primed)).toBe(1);
  expect(figure(text, names.competed)).toBe(1);
}, 60_000);
