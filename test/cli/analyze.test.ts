/** `analyze` against a running appliance: one that is well, and some that were set wrong. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { WorkFacts } from "../../src/operate/analyze/facts.ts";
import type { Judgement } from "../../src/operate/analyze/judgement.ts";
import { answered } from "../support/appliance-client.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";
import { untilSampled } from "../support/tuned-appliance.ts";
import { run } from "./run-for-test.ts";

type Shown = { readonly judgements: readonly Judgement[]; readonly facts: WorkFacts };

const SETTINGS = { "thread_pools.api_workers": 1, "numa.enabled": false, "embedding.dimensions": 64 };
/** What other programs take from the machine that runs the tests is not the appliance's. */
const OF_THE_MACHINE: readonly string[] = ["event_loop_delay", "busy_thread", "writer_waits", "slow_disk"];

const scratch = new ScratchDirectory("analyze");
let appliance: ApplianceProcess;

beforeAll(async () => {
  appliance = await ApplianceProcess.start({ data: scratch.data, settings: SETTINGS });
  const memories = Array.from({ length: 1500 }, (_, at) => ({
    content: `note ${at} about topic ${at % 97} and place ${at % 31}`,
    ack: "wal" as const,
  }));
  for (let at = 0; at < memories.length; at += 500) {
    answered(await appliance.client.rememberBatch(memories.slice(at, at + 500)));
  }
  await eventually("all is in the graph", async () => (await appliance.client.spaces())[0]?.tail === 0);
  // A series grows from its first sample on: it has to be there before what is counted.
  await recalls(1);
  await untilSampled(appliance, "recall");
  await recalls(80);
}, 60_000);
afterAll(async () => {
  await appliance.stop();
  scratch[Symbol.dispose]();
});

async function recalls(count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    answered(await appliance.client.recall({ query: `topic ${at % 97} place`, limit: 5 }));
  }
}

async function analyzed(...words: string[]): Promise<Shown> {
  const { exitCode, out, err } = await run(["analyze", "--json", "--url", appliance.url, ...words]);
  expect([exitCode, err]).toEqual([0, ""]);
  return JSON.parse(out) as Shown;
}

/** The history is written once a second. */
async function eventuallyAnalyzed(isThere: (shown: Shown) => boolean): Promise<Shown> {
  let shown: Shown | undefined;
  await eventually("the history has it", async () => {
    shown = await analyzed("--lookback", "5m");
    return isThere(shown);
  });
  return shown!;
}

describe("analyze", () => {
  test("a healthy appliance gets no advice, and its figures are those of what was asked of it", async () => {
    const { facts, judgements } = await eventuallyAnalyzed(
      (shown) => (shown.facts.operations["recall"]?.count ?? 0) > 60,
    );
    expect(facts.operations["recall"]!.count).toBeGreaterThan(60);
    expect(facts.operations["recall"]!.count).toBeLessThan(120);
    expect(facts.memories).toMatchObject({ count: 1500, spaces: 1, largestSpace: 1500 });
    expect(
      facts.stages.find(({ operation, stage }) => operation === "recall" && stage === "vector"),
    ).toBeDefined();
    const own = judgements.filter(
      ({ verdict, topic }) => verdict === "advice" && !OF_THE_MACHINE.includes(topic),
    );
    expect(own).toEqual([]);
  }, 60_000);

  test("a search set too narrow is named, with the command that helps", async () => {
    const patched = await fetch(`${appliance.url}/api/v1/system/settings`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ "index.ef_search": 8 }),
    });
    expect(patched.status).toBe(200);
    const { exitCode, out } = await run(["analyze", "--url", appliance.url, "--lookback", "5m"]);
    expect(exitCode).toBe(0);
    expect(out).toContain(
      "The graph is searched so narrowly that near memories are missed (narrow_search, estimated)",
    );
    expect(out).toContain("   change     engram-appliance config set --live index.ef_search 64");
    expect(out).toContain("Can not be told:");
  }, 60_000);

  test("--measure finds out what memory carries, and --all prints what is fine", async () => {
    const { exitCode, out, err } = await run(["analyze", "--measure", "--all", "--url", appliance.url]);
    expect(exitCode).toBe(0);
    expect(out).toContain("Fine:");
    // Either it was measured, or there was no room for it: then the judgement says so.
    if (!out.includes("more than a quarter of what is free")) {
      expect(err).toMatch(/^memory carries \d[\d.]* [GM]iB a second here\n$/);
    }
  }, 60_000);

  test("checkpoints written bytes are counted", async () => {
    await using other = await ApplianceProcess.start({
      data: `${scratch.data}-checkpoints`,
      settings: { ...SETTINGS, "checkpoint.interval_s": 1 },
    });
    answered(await other.client.remember({ content: "one note" }));
    await eventually("a checkpoint wrote", async () => {
      const text = await (await fetch(`${other.url}/metrics`)).text();
      return Number(/^engram_checkpoint_written_bytes_total (\S+)$/m.exec(text)?.[1] ?? 0) > 64 * 4;
    });
  }, 60_000);

  test("it refuses a lookback it can not read, and an appliance that is not there", async () => {
    const wrong = await run(["analyze", "--lookback", "yesterday", "--url", appliance.url]);
    expect([wrong.exitCode, wrong.err]).toEqual([64, expect.stringContaining('"yesterday" is no lookback')]);
    const none = await run(["analyze", "--url", "http://127.0.0.1:9"]);
    expect([none.exitCode, none.err]).toEqual([69, expect.stringContaining("Cannot reach the appliance")]);
  });
});
