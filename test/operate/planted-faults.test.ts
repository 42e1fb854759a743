/**
 * Faults planted one at a time in a running appliance: `profile`, `analyze` and `slow-queries` together name each one
 * first, and none on a healthy appliance.
 *
 * The short form plants those that are cheap. Remote memory needs two NUMA nodes: it is planted in the lab
 * (test/numa/remote-memory.test.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../cli/run-for-test.ts";
import { ApplianceProcess, LONG, ScratchDirectory } from "../support/appliance-process.ts";
import { diagnose, namedFirst, OF_CROWDED_CORES } from "./diagnosis.ts";
import { PLANTED_FAULTS, underLoad } from "./planted-faults.ts";

/** Long enough for samples of the history, which are a second apart. */
const SECONDS = LONG ? 15 : 6;
/** Of load before anybody measures, so that the lookback holds nothing else. */
const SETTLING_MS = 2000;

/** Whether other programs took the cores before the appliance began. */
const isCrowded = loadavg()[0]! > availableParallelism();

/**
 * The appliance and its callers go before other programs of the machine, where that is allowed: cores that others take
 * are another fault than those planted. Sessions share the cores by the niceness of their autogroup.
 */
const AUTOGROUP = "/proc/self/autogroup";
const FIRST_IN_LINE = ["sh", "-c", `echo -15 2>/dev/null >${AUTOGROUP}; exec "$@"`, "sh"];
let niceBefore = "";
beforeAll(() => {
  niceBefore = setAutogroupNice("-15");
});
afterAll(() => void setAutogroupNice(niceBefore));

/** @returns what it was; empty where it can not be set */
function setAutogroupNice(nice: string): string {
  try {
    const before = /nice (-?\d+)/.exec(readFileSync(AUTOGROUP, "utf8"))?.[1] ?? "";
    if (nice !== "") writeFileSync(AUTOGROUP, nice);
    return before;
  } catch {
    return ""; // No autogroups here, or no right to go before others: the test takes its chances.
  }
}

/** In memory, so that only what is planted makes a sync slow. */
const SHM = "/dev/shm";
const DATA_PARENT = existsSync(SHM) ? SHM : tmpdir();

describe("profile, analyze and slow-queries", () => {
  for (const { fault, about, skipped, isCheap, plant } of PLANTED_FAULTS) {
    const why = skipped ?? (isCheap || LONG ? undefined : "takes a while; npm run test:long");
    const name = `${fault ?? "no fault"} is named first of ${about}`;
    test.skipIf(why !== undefined)(
      `${name}${why === undefined ? "" : `; skipped: ${why}`}`,
      async () => {
        using scratch = new ScratchDirectory("planted-fault");
        const data = mkdtempSync(join(DATA_PARENT, "engram-planted-fault-"));
        const { settings, environment, prepare, callers, stop } = plant(scratch.path);
        try {
          await using appliance = await ApplianceProcess.start({
            data,
            settings: settings ?? {},
            environment: environment ?? {},
            under: FIRST_IN_LINE,
          });
          await prepare(appliance);
          const diagnosis = await underLoad(callers(appliance), async () => {
            await Bun.sleep(SETTLING_MS);
            return diagnose(appliance.url, { run, directory: scratch.path, seconds: SECONDS });
          });
          console.info(`${about}: ${JSON.stringify(diagnosis)}`);
          const passedOver = isCrowded ? OF_CROWDED_CORES : [];
          expect(namedFirst(diagnosis, passedOver), JSON.stringify(diagnosis)).toBe(fault);
        } finally {
          await stop?.();
          rmSync(data, { recursive: true, force: true });
        }
      },
      120_000,
    );
  }
});
