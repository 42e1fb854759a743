/** Every command of the pages about performance, run as it stands against a running appliance. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join, normalize } from "node:path";
import { SETTINGS } from "../../src/config/schema.ts";
import { CATALOGUE } from "../../src/observe/catalogue.ts";
import { type ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";
import { commandsOf, programDirectory, readPage, runLine } from "../support/page-commands.ts";
import { startWith, work, writeSettings } from "../support/tuned-appliance.ts";

const PATTERNS = [
  "cache-line-bouncing",
  "numa-stalls",
  "simd-under-use",
  "write-amplification",
  "contention",
];
/** Each page, and how many commands it has at least. */
const PAGES: readonly (readonly [string, number])[] = [
  ["docs/operations/performance-tuning.md", 19],
  ["docs/howto/optimize-resource-usage.md", 15],
  ...PATTERNS.map((name) => [`docs/operations/patterns/${name}.md`, 5] as const),
];
/** Commands that end with 1 where they find something, as a noisy machine lets them. */
const MAY_FIND = /^engram-appliance bench /;

const directory = new ScratchDirectory("tuning-pages");
let appliance: ApplianceProcess;
let environment: Record<string, string>;

beforeAll(async () => {
  const bin = programDirectory(directory.path);
  const file = writeSettings(directory.path, {
    "thread_pools.api_workers": 1,
    "numa.enabled": false,
    "embedding.dimensions": 64,
    "server.port": 0,
  });
  appliance = await startWith(file, directory.data);
  environment = {
    PATH: `${bin}:${process.env["PATH"]}`,
    URL: appliance.url,
    ENGRAM_URL: appliance.url,
    ENGRAM_CONFIG: file.path,
  };
  await work(appliance, { memories: 2000, recalls: 100 });
}, 120_000);
afterAll(async () => {
  await appliance.stop();
  directory[Symbol.dispose]();
});

/** What a line ran on one page need not be run again on another, but where it changes something. */
const ran = new Set<string>();

for (const [path, least] of PAGES) {
  const page = readPage(path);
  const commands = commandsOf(page);
  describe(path, () => {
    test("the page has its commands, and names settings, metrics and pages that there are", () => {
      expect(commands.length).toBeGreaterThanOrEqual(least);
      expect(page).toContain("URL=http://127.0.0.1:7432\n");
      const sections = new Set(SETTINGS.map(({ path: name }) => name.split(".")[0]));
      const settings = new Set(SETTINGS.map(({ path: name }) => name));
      for (const [, name] of page.matchAll(/`([a-z_]+\.[A-Za-z_]+)(?: = [^`]+)?`/g)) {
        if (sections.has(name!.split(".")[0])) expect([name, settings.has(name!)]).toEqual([name, true]);
      }
      for (const [name] of page.matchAll(/\b(engram|process)_[a-z_]+\b/g)) {
        const base = name.replace(/_(bucket|sum|count)$/, "");
        expect([name, base in CATALOGUE || name in CATALOGUE]).toEqual([name, true]);
      }
      for (const [, link] of page.matchAll(/\]\(([^)#]+\.(?:md|ts))/g)) {
        const target = normalize(join(path, "..", link!));
        expect([target, existsSync(join(import.meta.dir, "../..", target))]).toEqual([target, true]);
      }
    });

    for (const { line, needs } of commands) {
      const missing = needs !== "" && Bun.which(needs) === null;
      test.skipIf(missing)(
        `${line}${missing ? `: ${needs} is not installed` : ""}`,
        async () => {
          if (ran.has(line)) return;
          if (!/ tune /.test(line)) ran.add(line);
          const { status, out, err } = await runLine(line, { directory: directory.path, environment });
          if (!(MAY_FIND.test(line) && status === 1))
            expect([status, status === 0 ? "" : out + err]).toEqual([0, ""]);
          expect(out.length).toBeGreaterThan(0);
          if (line.startsWith("curl") && line.includes("/query"))
            expect(JSON.parse(out).status).toBe("success");
        },
        120_000,
      );
    }
  });
}

test("what the page says of tuning is so: the narrow search was corrected, and taken back", async () => {
  const { TuneFiles } = await import("../../src/cli/tune/tune-files.ts");
  const entries = new TuneFiles(environment["ENGRAM_CONFIG"]!).entries();
  expect(entries.map(({ action }) => action)).toEqual(["kept", "taken-back"]);
  expect(entries[0]!.record.changes).toMatchObject([{ path: "index.ef_search", from: 8, to: 64 }]);
  expect(entries[0]!.after!["recall@10"]!).toBeGreaterThan(entries[0]!.before!["recall@10"]! + 0.03);
});
