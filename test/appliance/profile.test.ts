/** Samples of a whole running appliance, and what a profile makes of faults planted in it. */
import { expect, test } from "bun:test";
import type { ProfileSlice } from "../../src/observe/profile-slice.ts";
import { stacksOf } from "../../src/operate/profile/stacks.ts";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";

async function take(appliance: ApplianceProcess, seconds: number): Promise<Response> {
  return fetch(`${appliance.url}/api/v1/system/profile`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ seconds }),
  });
}

test("a profile has samples of every thread, the home writer's too, and one is taken at a time", async () => {
  using scratch = new ScratchDirectory("profile");
  await using appliance = await ApplianceProcess.start({
    data: scratch.data,
    settings: { "thread_pools.api_workers": 1 },
  });
  const taking = take(appliance, 2);
  await Bun.sleep(300);
  const second = await take(appliance, 0.5);
  expect(second.status).toBe(409);
  expect(second.headers.get("retry-after")).not.toBeNull();
  expect(await second.json()).toMatchObject({ code: "profile-running" });
  for (let i = 0; i < 30; i++) await appliance.client.remember({ content: `a note of number ${i}` });

  const answer = await taking;
  expect(answer.status).toBe(200);
  const slice = (await answer.json()) as ProfileSlice;
  const names = slice.threads.map(({ name }) => name).sort();
  expect(names).toEqual(["api-0", "background-0", "collector-0", "indexer-0", "writer-0"]);
  const writer = slice.threads.find(({ name }) => name === "writer-0")!.script;
  expect(writer.samples.length).toBeGreaterThan(20);
  expect(writer.samples.map((place) => writer.nodes[place]!.name)).toContain("wait");
  expect(slice.spaces).toEqual([{ space: "default", operations: 30, busy_ms: expect.any(Number) }]);
  if (slice.native === null) expect(slice.missing.map(({ what }) => what)).toContain("native stacks");
  else expect(stacksOf([slice]).threads.map(({ name }) => name)).toContain("api-0");
  // It is as it was: nothing samples on, and the next profile can be taken.
  expect((await take(appliance, 0.2)).status).toBe(200);
  expect((await take(appliance, 99)).status).toBe(400);
}, 60_000);
