/** The canary on a running appliance: it finds false memory among concepts and completes hidden fields, and changes nothing. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { Random } from "../../src/base/random.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

setDefaultTimeout(120_000);

const DIMENSIONS = 32;

function vector(topic: number, member: number): number[] {
  const random = new Random(topic * 100 + member);
  return Array.from(
    { length: DIMENSIONS },
    (_, d) => (0.35 * random.gaussian()) / Math.sqrt(DIMENSIONS) + (d === topic ? 1 : 0),
  );
}

test("the canary measures false memory and completion, and strengthens nothing by it", async () => {
  using directory = new ScratchDirectory("canary");
  await using appliance = await ApplianceProcess.start({
    data: directory.data,
    settings: {
      "monitoring.canary_interval_s": 1,
      "consolidation.enabled": false,
      "thread_pools.api_workers": 1,
    },
  });
  const post = async (path: string, body: unknown): Promise<void> => {
    const reply = await fetch(appliance.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", "x-memory-space": "met" },
      body: JSON.stringify(body),
    });
    expect(reply.status, await reply.text()).toBeLessThan(300);
  };
  await post("/api/v1/spaces", { name: "met", dimensions: DIMENSIONS, embedder: "none" });
  for (let topic = 0; topic < 4; topic++) {
    for (let member = 0; member < 8; member++) {
      await post("/api/v1/episodes/remember", {
        id: `${topic}-${member}`,
        what: `Lesson ${member} of topic${topic} was held. It was the day${topic}x${member}.`,
        where: `room${topic}`,
        who: [`teacher${topic}`],
        embedding: vector(topic, member),
      });
    }
  }
  const metrics = async (): Promise<string> => (await fetch(`${appliance.url}/metrics`)).text();
  await post("/api/v1/consolidate", { wait_ms: 20_000 });
  await eventually("the rate is there", async () => /^engram_false_memory_rate \d/m.test(await metrics()));
  const rate = Number(/^engram_false_memory_rate (\S+)$/m.exec(await metrics())![1]);
  expect(rate).toBeGreaterThan(0);
  expect(rate).toBeLessThan(1);
  // The prototype of eight like episodes is familiar.
  expect(rate).toBeGreaterThan(0.2);

  await eventually("completions are judged", async () =>
    /engram_completion_plausibility_count\{correct="yes"\} [1-9]/.test(await metrics()),
  );
  // What the canary recalls it does not use.
  expect(await metrics()).not.toMatch(/engram_memory_uses_total\{how="retrieved"\} [1-9]/);
});
