import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { SlowWanted } from "../../src/observe/slow-file.ts";
import type { SlowOperation } from "../../src/observe/slow-operation.ts";
import { ApiUnderTest } from "../api/api-under-test.ts";
import { localWatch } from "../observe/local-watch.ts";
import { slowOperation } from "../observe/made-slow-operation.ts";
import { run } from "./run-for-test.ts";

const WIDE = slowOperation({
  took_ms: 400,
  stages_ms: { vector: 380, words: 10 },
  plan: { mode: "hybrid", limit: 10, ef_asked: 4096, ef: 4096, search: "graph" },
  space: "notes",
});

describe("slow-queries", () => {
  let api: ApiUnderTest;
  let operations: SlowOperation[] = [];
  let wanted: SlowWanted | undefined;
  beforeAll(() => {
    const watch = localWatch();
    const slowOperations = (asked: SlowWanted) => {
      wanted = asked;
      return operations;
    };
    api = new ApiUnderTest({ watch: { ...watch, slowOperations } });
  });
  afterAll(() => api.close());
  const slowQueries = (...words: string[]) => run(["slow-queries", ...words, "--url", api.url]);

  test("slow-queries names the cause, its evidence, what to change and what that does", async () => {
    operations = [WIDE];
    const { exitCode, out } = await slowQueries();
    expect(exitCode).toBe(0);
    expect(out).toContain("1 slow operation in the last 24h, 400 ms altogether");
    expect(out).toContain(
      "1. the graph is searched wider than the answer needs (high_ef): 1 operation, 374 ms, 94 %",
    );
    expect(out).toContain("   evidence   the walk kept 4096 candidates for 10 results");
    expect(out).toContain("   change     Send a lower ef with the recall (4096 was asked for), or none");
    expect(out).toContain("   effect     ");
    expect(out).toContain('   where      recall on "notes"');
    expect(out).not.toContain("ended  ");
  });

  test("slow-queries full lists every operation, and --json gives all of it", async () => {
    operations = [WIDE];
    expect((await slowQueries("100ms", "1h", "full")).out).toMatch(
      /^ended +took +operation .*\n2026-01-31T12/m,
    );
    const { out } = await slowQueries("100ms", "1h", "full", "--json");
    expect(JSON.parse(out)).toMatchObject({
      count: 1,
      groups: [{ cause: "high_ef" }],
      listed: [{ took_ms: 400 }],
    });
  });

  test("slow-queries asks for what the command line says", async () => {
    const before = Date.now();
    await slowQueries("1.5s", "2h", "summary", "--operation", "recall", "--space", "notes");
    expect(wanted).toMatchObject({ tookMsMin: 1500, operation: "recall" });
    expect(before - 7_200_000 - wanted!.sinceMs).toBeLessThan(60_000);
    expect([wanted!.isWanted("notes"), wanted!.isWanted("other")]).toEqual([true, false]);
    await slowQueries("250");
    expect(wanted!.tookMsMin).toBe(250);
  });

  test("slow-queries says that nothing was slow, and what is kept", async () => {
    operations = [];
    const { exitCode, out } = await slowQueries();
    expect([exitCode, out]).toEqual([
      0,
      "No slow operation in the last 24h; monitoring.enabled is off, so none is kept\n",
    ]);
  });

  test("slow-queries refuses what it can not read, and an appliance that is not there", async () => {
    for (const words of [["fast"], ["100ms", "yesterday"], ["100ms", "5"], ["100ms", "1h", "long"]]) {
      const { exitCode, err } = await slowQueries(...words);
      expect([words, exitCode]).toEqual([words, 64]);
      expect(err).toContain("What helps: Give ");
    }
    const { exitCode, err } = await run(["slow-queries", "--url", "http://127.0.0.1:9"]);
    expect(exitCode).toBe(69);
    expect(err).toContain("Cannot reach the appliance");
  });
});
