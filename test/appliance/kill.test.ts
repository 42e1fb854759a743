/**
 * Kill -9 under load, over and over in one data directory: what was acknowledged is there, nothing else is, and
 * everything that is there is found. ENGRAM_TEST_LONG=1 runs 200 cycles.
 *
 * Kill -9 leaves the page cache alone, so ack=wal survives it like ack=fsync; that fsync really syncs is shown by
 * `fsync.test.ts`, and what a power cut leaves is `test/storage/`.
 */
import { expect, test } from "bun:test";
import { entropySeed, Random } from "../../src/base/random.ts";
import { type ApplianceClient, answered } from "../support/appliance-client.ts";
import { ApplianceProcess, LONG, ScratchDirectory } from "../support/appliance-process.ts";
import { LASTING_SPACES, runLoad } from "./crash-load.ts";
import { CrashModel } from "./crash-model.ts";
import { makeMemory, versionOf } from "./made-memory.ts";

const CYCLES = LONG ? 200 : 5;
const LOAD_MS_MAX = LONG ? 1500 : 1000;
/** Memories searched for themselves after each crash; the last cycle searches for all. */
const SEARCHED = 30;
const SETTINGS = {
  // Checkpoints, log rolls and graphs as often as they can be had.
  "checkpoint.interval_s": 1,
  "checkpoint.log_mb": 8,
  "wal.segment_size_mb": 8,
  "thread_pools.api_workers": 2,
};

type End = "kill" | "kill while stopping" | "stop";

test(
  `the appliance keeps what it acknowledged through ${CYCLES} kills under load`,
  async () => {
    using directory = new ScratchDirectory("kill");
    const seed = Number(process.env["ENGRAM_TEST_SEED"] ?? entropySeed() >>> 0);
    const random = new Random(seed);
    console.log(`seed ${seed}, ${CYCLES} cycles`);
    const model = new CrashModel();
    const start = { data: directory.data, settings: SETTINGS };
    let acknowledged = 0;
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const where = (end: string) => `seed ${seed}, cycle ${cycle}, ${end}`;
      await using appliance = await ApplianceProcess.start(start);
      const { client } = appliance;
      if (cycle === 0) {
        for (const { name, dimensions } of LASTING_SPACES) {
          model.attemptSpace(name, dimensions);
          if (dimensions > 0) answered(await client.createSpace({ name, dimensions, embedder: "none" }));
          else answered(await client.createSpace({ name }));
          model.spaceMade(name);
        }
      }
      const load = runLoad(client, model, random);
      await Bun.sleep(50 + random.below(LOAD_MS_MAX));
      const end: End = (["kill", "kill", "kill while stopping", "stop"] as const)[random.below(4)]!;
      if (end === "kill") await appliance.kill();
      else if (end === "stop") {
        expect(await appliance.stop(), `${where(end)}\n${appliance.stderr}`).toBe(0);
      } else {
        appliance.signal("SIGTERM");
        await Bun.sleep(random.below(300));
        await appliance.kill();
      }
      const report = await load;
      expect(report.wrong.slice(0, 5), where(end)).toEqual([]);
      acknowledged += report.acknowledged;
      if (end === "stop") model.stoppedCleanly();

      // Some are killed again while they recover, and some once more after that.
      while (random.below(3) === 0) {
        await using recovering = ApplianceProcess.spawn(start);
        await Bun.sleep(random.below(800));
        await recovering.kill();
      }
      await using recovered = await ApplianceProcess.start(start);
      await expectAllThere(recovered.client, model, where(end));
      const isLast = cycle === CYCLES - 1;
      await expectAllFound(recovered.client, model, isLast ? Number.POSITIVE_INFINITY : SEARCHED, where(end));
      // The next cycle goes on from a process killed at rest, or stopped.
      if (random.below(2) === 0) await recovered.kill();
      else expect(await recovered.stop(), where("stop at rest")).toBe(0);
    }
    console.log(`${acknowledged} writes acknowledged`);
    // Something there was to lose in each cycle, however busy the machine.
    expect(acknowledged).toBeGreaterThan(CYCLES * 5);
  },
  LONG ? 3_600_000 : 120_000,
);

async function expectAllThere(client: ApplianceClient, model: CrashModel, where: string): Promise<void> {
  const found = new Set((await client.spaces()).map(({ name }) => name));
  const wrong = model.observeSpaces(found);
  for (const name of model.spaceNames) {
    const memories = await client.listAll(name);
    wrong.push(...model.observe(name, memories));
    const info = answered(await client.space(name));
    if (info.memories !== memories.length) {
      wrong.push(`${name}: says that it holds ${info.memories} memories, and lists ${memories.length}`);
    }
  }
  expect(wrong.slice(0, 5), where).toEqual([]);
}

/** Each memory is found by its own words, and by its own vector where it brought one. */
async function expectAllFound(
  client: ApplianceClient,
  model: CrashModel,
  most: number,
  where: string,
): Promise<void> {
  const wrong: string[] = [];
  for (const name of model.spaceNames) {
    const memories = await client.listAll(name);
    const dimensions = model.dimensionsOf(name);
    const step = Math.max(1, Math.floor(memories.length / most));
    for (let at = 0; at < memories.length; at += step) {
      const { id } = memories[at]!;
      const made = makeMemory(name, id, versionOf(memories[at]!), dimensions);
      const byWords = answered(await client.recall({ query: made.word, mode: "words", limit: 3 }, name));
      if (byWords.memories.length !== 1 || byWords.memories[0]!.id !== id) {
        wrong.push(`${name}: the word of ${id} finds ${JSON.stringify(byWords.memories.map((m) => m.id))}`);
      }
      // Hashed vectors of texts this alike (twelve words and a rare one) are hard to walk between: at the default ef
      // a graph of 2,400 of them misses a fifth. What is there is asked here, so the beam is as long as the space.
      const query =
        dimensions === 0 ? { query: made.content.slice(0, 4000), ef: 4096 } : { embedding: made.embedding };
      const byVector = answered(await client.recall({ ...query, mode: "vector", limit: 3 }, name));
      if (byVector.memories[0]?.id !== id && (made.content.length < 4000 || dimensions > 0)) {
        wrong.push(
          `${name}: the vector of ${id} finds ${JSON.stringify(byVector.memories.map((m) => [m.id, m.score]))}`,
        );
      }
    }
  }
  expect(wrong.slice(0, 5), where).toEqual([]);
}
