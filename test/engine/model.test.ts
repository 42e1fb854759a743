/**
 * Random operations on the whole appliance beside the naive twin, with restarts in between, clean ones and kill -9.
 * ENGRAM_TEST_LONG=1 does 20,000; ENGRAM_TEST_SEED repeats a run.
 */
import { expect, test } from "bun:test";
import { entropySeed, Random } from "../../src/base/random.ts";
import { ApplianceProcess, LONG, ScratchDirectory } from "../support/appliance-process.ts";
import { MODEL_SETTINGS, ModelSteps } from "./model-steps.ts";
import { NaiveEngine } from "./naive-engine.ts";

const OPERATIONS = LONG ? 20_000 : 400;
/** Operations from one restart to the next. */
const RESTART_EVERY = LONG ? 400 : 130;

test(
  `the appliance answers ${OPERATIONS} random operations as a naive engine does, through restarts`,
  async () => {
    using directory = new ScratchDirectory("model");
    const seed = Number(process.env["ENGRAM_TEST_SEED"] ?? entropySeed() >>> 0);
    console.log(`seed ${seed}, ${OPERATIONS} operations`);
    const random = new Random(seed);
    const twin = new NaiveEngine();
    const steps = new ModelSteps(random, twin);
    const start = {
      data: directory.data,
      settings: {
        ...MODEL_SETTINGS,
        "checkpoint.interval_s": 1,
        "checkpoint.log_mb": 8,
        "wal.segment_size_mb": 8,
        "thread_pools.api_workers": 2,
      },
    };
    let restarts = 0;
    let appliance = await ApplianceProcess.start(start);
    try {
      for (let operation = 0; operation < OPERATIONS; operation++) {
        const where = `seed ${seed}, operation ${operation}, ${restarts} restarts`;
        expect(await steps.step(appliance.client), where).toBeUndefined();
        if ((operation + 1) % RESTART_EVERY > 0) continue;
        if (random.below(2) === 0) {
          expect(await appliance.stop(), where).toBe(0);
        } else {
          await steps.settle(appliance.client);
          await appliance.kill();
        }
        restarts += 1;
        appliance = await ApplianceProcess.start(start);
        expect(await steps.compareAll(appliance.client), where).toBeUndefined();
      }
      expect(await steps.compareAll(appliance.client), `seed ${seed}, at the end`).toBeUndefined();
      console.log(
        `${restarts} restarts; recalls found ${steps.found.vector} by vector, ${steps.found.words} by words`,
      );
      expect(Math.min(steps.found.vector, steps.found.words)).toBeGreaterThan(OPERATIONS / 40);
    } finally {
      await appliance.kill();
    }
  },
  LONG ? 3_600_000 : 120_000,
);
