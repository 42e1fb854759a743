import { describe, expect, test } from "bun:test";
import { compareReports, comparisonText } from "../../../src/operate/profile/compare.ts";
import { decide } from "../../../src/operate/profile/decide.ts";
import type { Measured } from "../../../src/operate/profile/measured.ts";
import { comparedSchema } from "../../../src/operate/profile/report.ts";
import { latency, measured, stage } from "./made-measured.ts";

const table = (head: string[], rows: string[][]): string =>
  [head, ...rows].map((cells) => cells.join(" | ")).join("\n");

const report = (figures: Measured) =>
  comparedSchema.parse(
    JSON.parse(
      JSON.stringify({
        format: 1,
        made_at: "2026-01-31T12:00:00.000Z",
        findings: decide(figures),
        measured: figures,
      }),
    ),
  );

const healthy = measured();
const slow = measured({
  stages: [stage("remember", "log", 0.7, 0.05)],
  flush: latency(500, 0.03),
  settings: { ...healthy.settings, "wal.flush_interval_ms": 5 },
});

describe("compareReports", () => {
  test("compareReports says which bottleneck went, what setting changed, and by how much figures differ", () => {
    const found = compareReports(report(slow), report(healthy));
    expect(found.gone).toEqual(["Writes wait for the disk"]);
    expect(found.come).toEqual([]);
    expect(found.settings).toMatchObject([{ what: "wal.flush_interval_ms", before: "5" }]);
    const sync = found.changes.find(({ what }) => what === "sync: mean")!;
    expect(sync).toMatchObject({ before: "30 ms", after: "400 µs" });
    expect(sync.ratio).toBeCloseTo(0.4 / 30);
    expect(comparisonText(found, table)).toContain("Gone:  Writes wait for the disk");
  });

  test("compareReports finds no difference between a profile and itself", () => {
    const found = compareReports(report(slow), report(slow));
    expect([found.gone, found.come, found.settings, found.changes]).toEqual([[], [], [], []]);
    expect(found.stayed).toEqual(["Writes wait for the disk"]);
    expect(comparisonText(found, table)).toContain("No figure differs by more than 20 %");
  });
});
