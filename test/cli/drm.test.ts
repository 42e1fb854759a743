import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DrmResult } from "../../src/operate/drm/protocol.ts";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";
import { run } from "./run-for-test.ts";

setDefaultTimeout(180_000);

const LISTS = join(import.meta.dir, "../../../shared/data/drm.json.gz");
const directory = new ScratchDirectory("drm");
let appliance: ApplianceProcess;

beforeAll(async () => {
  appliance = await ApplianceProcess.start({ data: directory.data });
});
afterAll(async () => {
  await appliance.stop();
  directory[Symbol.dispose]();
});

const drm = (...words: string[]) => run(["drm", "--url", appliance.url, ...words]);

async function spacesLeft(): Promise<string[]> {
  const { spaces } = (await (await fetch(`${appliance.url}/api/v1/spaces`)).json()) as {
    spaces: { name: string }[];
  };
  return spaces.map(({ name }) => name).filter((name) => name.startsWith("drm-"));
}

describe("drm", () => {
  test("drm with its own lists and letters for vectors recognises what was studied, and is taken in by no lure", async () => {
    const ran = await drm();
    expect(ran.exitCode).toBe(0);
    expect(ran.out).toMatch(/recognised: studied words +1\.00 +1\.00 +0\.86 +0\.79/);
    expect(ran.out).toMatch(/recognised: lures +0\.0\d +0\.00 +0\.84/);
    expect(await spacesLeft()).toEqual([]);
  });

  test.skipIf(!existsSync(LISTS))(
    "drm with real lists and their associations: studied above lures above unrelated words, in recall too",
    async () => {
      const ran = await drm("--lists", LISTS, "--json");
      const { lists, recognition, recall, correlationWithPeople } = JSON.parse(ran.out) as DrmResult;
      expect(lists).toBe(18);
      const { studied, lures, unrelated } = recognition;
      expect(studied.probability).toBeGreaterThan(lures.probability);
      expect(lures.probability).toBeGreaterThan(3 * unrelated.probability);
      expect(recognition.dPrimeTrue).toBeGreaterThan(recognition.dPrimeLures);
      expect(recall.studied).toBeGreaterThan(0.3);
      expect(recall.lures).toBeGreaterThan(0.3);
      expect(correlationWithPeople!).toBeGreaterThan(0.2);
      expect(await spacesLeft()).toEqual([]);
    },
  );

  test("drm says what is wrong with lists that can not be read", async () => {
    const broken = join(directory.path, "broken.json");
    writeFileSync(broken, JSON.stringify({ lists: [{ lure: "x", items: [] }] }));
    const ran = await drm("--lists", broken);
    expect(ran.exitCode).toBe(66);
    expect(ran.err).toContain("lists.0.items");
    expect((await drm("--lists", join(directory.path, "none.json"))).exitCode).toBe(66);
    expect((await run(["drm", "--url", "http://127.0.0.1:9"])).exitCode).toBe(69);
  });
});
