/** How a space forgets is its own: given when it is made, changed later, and kept by the log and by checkpoints. */
import { expect, test } from "bun:test";
import { answered } from "../support/appliance-client.ts";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";

test("a space keeps its curve and half-life through kill -9, a checkpoint and a change", async () => {
  using directory = new ScratchDirectory("forgetting");
  const start = { data: directory.data, settings: { "thread_pools.api_workers": 1 } };
  const asked = { curve: "exponential" as const, stability_hours: 24 };
  {
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    expect(answered(await client.createSpace({ name: "plain" })).forgetting).toMatchObject({
      curve: "power",
      stability_hours: 168,
    });
    expect(answered(await client.createSpace({ name: "own", forgetting: asked })).forgetting).toMatchObject(
      asked,
    );
    await appliance.kill();
  }
  {
    await using appliance = await ApplianceProcess.start(start);
    const { client } = appliance;
    expect(answered(await client.space("own")).forgetting).toMatchObject(asked);
    // What is not named stays.
    const changed = await client.updateSpace("own", { forgetting: { curve: "two-component" } });
    expect(answered(changed).forgetting).toMatchObject({ curve: "two-component", stability_hours: 24 });
    await appliance.kill();
  }
  {
    await using appliance = await ApplianceProcess.start(start);
    expect(answered(await appliance.client.space("own")).forgetting.curve).toBe("two-component");
    // A clean stop writes a checkpoint.
    expect(await appliance.stop()).toBe(0);
  }
  await using appliance = await ApplianceProcess.start({
    ...start,
    settings: { ...start.settings, "forgetting.curve": "exponential", "forgetting.stability_hours": 5 },
  });
  const { client } = appliance;
  expect(answered(await client.space("own")).forgetting).toMatchObject({
    curve: "two-component",
    stability_hours: 24,
  });
  // A space without its own goes by the settings, and by what they are now.
  expect(answered(await client.space("plain")).forgetting).toMatchObject({
    curve: "exponential",
    stability_hours: 5,
  });
  const unknown = await client.updateSpace("nowhere", { forgetting: { curve: "power" } });
  expect(unknown).toMatchObject({ status: 404, body: { code: "space-not-found" } });
}, 60_000);
