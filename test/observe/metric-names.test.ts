import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { METRIC_NAMES } from "../../src/observe/catalogue.ts";
import { metricOfSeries } from "../../src/observe/series-name.ts";

const ROOT = join(import.meta.dir, "../..");

/** Documents, rules, dashboards and pages: everything that names metrics as text and is not a test. */
const FILES = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => /\.(md|ya?ml|json|html|toml)$|^src\/.*\.ts$/.test(path) && existsSync(join(ROOT, path)));

/** Names of metrics in a text that the catalogue has not. */
function unknownIn(text: string): string[] {
  const names = text.match(/\bengram_[a-z0-9_]*[a-z0-9](?![a-z0-9_*{]*\.(service|toml))/g) ?? [];
  return names.filter((name) => metricOfSeries(name) === undefined);
}

describe("the names of metrics", () => {
  test("no document, rule or page names a metric that the catalogue has not", () => {
    const unknown = FILES.flatMap((path) =>
      unknownIn(readFileSync(join(ROOT, path), "utf8")).map((name) => `${path}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  test("unknownIn finds a wrong name in a rule, and takes the series of a histogram", () => {
    expect(unknownIn("expr: rate(engram_recall_operations_totals[5m]) > 0")).toEqual([
      "engram_recall_operations_totals",
    ]);
    expect(unknownIn("histogram_quantile(0.99, engram_wal_flush_duration_seconds_bucket)")).toEqual([]);
    // Only histograms have such series.
    expect(unknownIn("engram_operations_total_bucket")).toEqual(["engram_operations_total_bucket"]);
  });

  test("the names that operators use are in the catalogue", () => {
    const used = [
      "engram_memory_operation_duration_seconds",
      "engram_operations_total",
      "engram_recall_operations_total",
      "engram_store_operations_total",
      "engram_memory_bytes",
      "engram_data_bytes",
      "engram_wal_flush_duration_seconds",
      "engram_storage_tier_memories_count",
      "engram_graph_edges_per_node",
      "engram_recall_result_size",
      "engram_activation_cache_hits_total",
      "engram_activation_cache_requests_total",
    ];
    expect(used.filter((name) => !(METRIC_NAMES as readonly string[]).includes(name))).toEqual([]);
  });
});
