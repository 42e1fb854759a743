import { describe, expect, test } from "bun:test";
import { MetricLane } from "../../src/observe/lane.ts";
import { localLaneCells } from "../../src/observe/metric-region.ts";
import { partOf, sampleNumaNode, sampleRegions } from "../../src/observe/node-sampler.ts";
import { levelSeries } from "../../src/observe/series.ts";
import { mapRegion } from "../../src/shm/region.ts";

describe("partOf", () => {
  test("partOf knows every region of a space by its purpose", () => {
    const purposes = {
      "space a: vectors": "vectors",
      "space a: quantised vectors": "quantised",
      "space a: headers": "headers",
      "space a: vectors, chunk table": "tables",
      "space a: content": "contents",
      "space a: forward lists": "contents",
      "space a: postings": "postings",
      "space a: terms": "terms",
      "space a: ids": "tables",
      "space a: term hashes": "tables",
      "metrics of node 1": "metrics",
      history: "history",
      "something else": "other",
    } as const;
    for (const [purpose, part] of Object.entries(purposes))
      expect([purpose, partOf(purpose)]).toEqual([purpose, part]);
  });
});

test("sampleRegions adds up what is mapped, by part and page", () => {
  const cells = localLaneCells();
  const policy = { hugePages: "off", node: undefined } as const;
  const series = levelSeries("engram_memory_bytes", { part: "terms", page: "base" });
  sampleRegions(new MetricLane(cells));
  const before = Number.isNaN(cells[series]!) ? 0 : cells[series]!;
  const region = mapRegion({ bytes: 65_536, purpose: "space of a test: terms", policy, pages: "small" });
  sampleRegions(new MetricLane(cells));
  expect(cells[series]).toBe(before + region.bytes);
  region.unmap();
});

test("sampleNumaNode reads what the kernel says of a node, and leaves unmeasured what it does not say", () => {
  const cells = localLaneCells();
  const files: Record<string, string> = {
    "/sys/devices/system/node/node3/numastat": "numa_hit 70\nnuma_miss 2\nnuma_foreign 1\nlocal_node 69\n",
    "/sys/devices/system/node/node3/meminfo": "Node 3 MemTotal:  1000 kB\nNode 3 MemFree:    400 kB\n",
  };
  sampleNumaNode(new MetricLane(cells), 3, (path) => files[path] ?? "");
  const pages = (event: "numa_hit" | "numa_miss" | "other_node") =>
    cells[levelSeries("engram_numa_pages_total", { node: "3", event })];
  expect([pages("numa_hit"), pages("numa_miss"), pages("other_node")]).toEqual([70, 2, Number.NaN]);
  expect(cells[levelSeries("engram_numa_memory_bytes", { node: "3", state: "free" })]).toBe(409_600);
  expect(cells[levelSeries("engram_numa_memory_bytes", { node: "3", state: "used" })]).toBeNaN();
});
