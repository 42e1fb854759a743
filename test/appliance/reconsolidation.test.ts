/** A memory that was used can be changed for a while; later, what replaces it is a new trace. */
import { expect, test } from "bun:test";
import { type ApplianceClient, answered } from "../support/appliance-client.ts";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";

const SETTINGS = { "thread_pools.api_workers": 1, "forgetting.learn_from_recall": false };
/** The window of some of the tests, in hours and in ms. */
const SHORT_HOURS = 0.001;
const SHORT_MS = SHORT_HOURS * 3_600_000;

async function explained(client: ApplianceClient, id: string) {
  const { memories } = answered(await client.recall({ query: "the code of the safe", explain: true }));
  return memories.find((memory) => memory.id === id)!.why!;
}

async function told(client: ApplianceClient, content: string): Promise<void> {
  answered(await client.remember({ id: "code", content, if_exists: "replace" }));
}

async function usedAndReplaced(client: ApplianceClient, pauseMs: number) {
  await told(client, "the code of the safe is 1234");
  answered(await client.call("POST", "/api/v1/memories/code/reinforce"));
  const before = await explained(client, "code");
  await Bun.sleep(pauseMs);
  await told(client, "the code of the safe is 9876");
  return { before, after: await explained(client, "code") };
}

test("a memory replaced within the window keeps what it earned, and is strengthened; through kill -9", async () => {
  using directory = new ScratchDirectory("labile");
  const start = { data: directory.data, settings: SETTINGS };
  let strengthened = 0;
  {
    await using appliance = await ApplianceProcess.start(start);
    const { before, after } = await usedAndReplaced(appliance.client, 0);
    expect(before.reconsolidation!.labile).toBe(true);
    // Six hours from its use.
    expect(Date.parse(before.reconsolidation!.until) - Date.now()).toBeWithin(
      5.9 * 3_600_000,
      6.1 * 3_600_000,
    );
    expect(after.strength!.uses).toBe(1);
    strengthened = after.strength!.stability_hours;
    expect(strengthened / before.strength!.stability_hours).toBeWithin(1.4, 1.51);
    await appliance.kill();
  }
  await using appliance = await ApplianceProcess.start(start);
  const after = await explained(appliance.client, "code");
  expect(after.strength).toMatchObject({ uses: 1 });
  expect(after.strength!.stability_hours).toBeCloseTo(strengthened, 4);
}, 60_000);

test("a memory replaced behind the window is a new trace; with reconsolidation off it takes over everything", async () => {
  for (const enabled of [true, false]) {
    using directory = new ScratchDirectory("trace");
    await using appliance = await ApplianceProcess.start({
      data: directory.data,
      settings: {
        ...SETTINGS,
        "reconsolidation.enabled": enabled,
        "reconsolidation.window_hours": SHORT_HOURS,
      },
    });
    const { before, after } = await usedAndReplaced(appliance.client, enabled ? SHORT_MS + 100 : 0);
    if (enabled) {
      expect(before.strength!.uses).toBe(1);
      expect(after.strength).toMatchObject({ uses: 0 });
      expect(after.strength!.stability_hours).toBeLessThan(before.strength!.stability_hours);
      expect(after.reconsolidation).toBeUndefined();
    } else {
      expect(before.reconsolidation).toBeUndefined();
      expect(after.strength!.uses).toBe(1);
      expect(after.strength!.stability_hours).toBeCloseTo(before.strength!.stability_hours, 4);
    }
  }
}, 120_000);
