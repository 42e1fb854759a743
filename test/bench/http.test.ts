/** The small size of each bench over HTTP: it runs to its end, and prints and keeps what it must. */
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BENCH_MS_MAX = 120_000;

/** The verdicts each bench owes, by the words they begin with. */
const VERDICTS: Readonly<Record<string, readonly string[]>> = {
  recall: ["recall@10 at ef", "recalls a core, share of raw usearch", "p99 at 1000 recalls a second"],
  remember: [
    "durable memories a second, 64 clients one by one",
    "durable memories a second, batches of 100",
    "memories a second without end, share of raw usearch inserts",
    "recall p99 meanwhile",
  ],
  mixed: ["operations a second, text in", "operations that failed", "longest unindexed tail"],
  memory: ["the empty process with 2 API workers", "growth from"],
  watching: ["a recall watched against not", "/metrics with 200 spaces", "recall p99 scraped against not"],
  streams: ["median of a recall with streams open", "P99 of a recall with streams open"],
  start: ["first answers with 3000 memories after a clean stop", "first answers after kill -9"],
  connections: ["requests that failed", "clients that were never answered", "memory taken at most by"],
};

/** Whatever the machine: wrong answers and broken bounds, not speed, would show here. */
const MUST_PASS = [
  "operations that failed",
  "requests that failed",
  "clients that were never answered",
  "longest unindexed tail",
];

for (const [name, verdicts] of Object.entries(VERDICTS)) {
  test(
    `${name}.bench runs in its small size and gives its verdicts`,
    () => {
      const directory = mkdtempSync(join(tmpdir(), "engram-bench-test-"));
      try {
        const bench = join(import.meta.dir, `../../bench/http/${name}.bench.ts`);
        const json = join(directory, "result.json");
        const run = Bun.spawnSync([process.execPath, bench, "--small", "--json", json], {
          timeout: BENCH_MS_MAX,
        });
        const output = run.stdout.toString();
        expect(`${run.exitCode}\n${run.stderr}`).toBe("0\n");
        expect(output).toMatch(/^machine {5}\d+ x .+, kernel \d/m);
        expect(output).toMatch(/^seed {8}1$/m);
        expect(output).toMatch(/^parameters {2}\w+ \S/m);
        const result = JSON.parse(readFileSync(json, "utf8"));
        for (const verdict of verdicts) {
          const line = output
            .split("\n")
            .find((each) => /^(PASS|MISS) /.test(each) && each.slice(5).startsWith(verdict));
          expect(line, `${name} owes a verdict on: ${verdict}`).toBeDefined();
          if (MUST_PASS.includes(verdict)) expect(line).toStartWith("PASS ");
          const target = result.targets.find((each: { name: string }) => each.name.startsWith(verdict));
          expect(Number.isFinite(target?.figure)).toBe(true);
        }
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
    BENCH_MS_MAX,
  );
}
