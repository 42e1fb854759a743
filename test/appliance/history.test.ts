/** The history through the whole appliance: recorded by a collector, asked of an API worker, kept over a restart. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

type Result = readonly {
  readonly metric: Record<string, string>;
  readonly value: readonly [number, string];
}[];

async function ask(appliance: ApplianceProcess, query: string): Promise<Result> {
  const body = new URLSearchParams({ query });
  const reply = await fetch(`${appliance.url}/api/v1/query`, { method: "POST", body });
  const { status, data } = (await reply.json()) as { status: string; data: { result: Result } };
  expect([query, status]).toEqual([query, "success"]);
  return data.result;
}

const settings = { "thread_pools.api_workers": 2, "numa.enabled": false };
const REMEMBERED = 'engram_operations_total{operation="remember"}';

test("operations are found in the history, also after a restart, and a damaged file does not keep it from starting", async () => {
  using scratch = new ScratchDirectory("history");
  {
    await using appliance = await ApplianceProcess.start({ data: scratch.data, settings });
    for (let i = 0; i < 3; i++) {
      const reply = await fetch(`${appliance.url}/api/v1/memories/remember`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ content: `Memory ${i}` }),
      });
      expect(reply.status).toBe(201);
    }
    await eventually(
      "the three are counted",
      async () => (await ask(appliance, REMEMBERED))[0]?.value[1] === "3",
    );
    await appliance.stop();
  }
  {
    await using appliance = await ApplianceProcess.start({ data: scratch.data, settings });
    // The collector loads the history while the appliance already serves.
    await eventually("the history is loaded", async () => {
      return (await ask(appliance, `max_over_time(${REMEMBERED}[5m])`))[0]?.value[1] === "3";
    });
    await eventually("the restart is seen", async () => (await ask(appliance, REMEMBERED)).length === 0);
    await appliance.stop();
  }
  writeFileSync(join(scratch.data, "history"), "engram history 1 nonsense");
  await using appliance = await ApplianceProcess.start({ data: scratch.data, settings });
  await appliance.says(/history of metrics begins anew/);
  expect(await ask(appliance, `max_over_time(${REMEMBERED}[5m])`)).toEqual([]);
}, 60_000);
