/**
 * Where regions lie. With one NUMA node only the paths without a choice run; the rest runs on a machine with
 * more, such as the lab: `numa-lab --hugepages 64 -- bun test test/shm/region-placement.test.ts`.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { OperatorError } from "../../src/base/errors.ts";
import { readNumaTopology } from "../../src/ffi/libnuma.ts";
import { HUGE_PAGE_BYTES, pagePlacement } from "../../src/ffi/pages.ts";
import { mapRegion, type Region } from "../../src/shm/region.ts";
import { listRegions, regionPages } from "../../src/shm/region-registry.ts";

const topology = readNumaTopology();
const nodes = topology.isAvailable
  ? topology.nodes.filter((node) => node.mayAllocate).map((node) => node.node)
  : [];
const many = nodes.length > 1;

function freeHugePages(node: number): number {
  const path = `/sys/devices/system/node/node${node}/hugepages/hugepages-2048kB/free_hugepages`;
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return 0;
  }
}

function nodesOf(region: Region): number[] {
  const placement = pagePlacement(region.address, region.bytes, 512);
  if (typeof placement === "string") throw new Error(`the kernel does not say where pages lie: ${placement}`);
  expect(placement.absent).toBe(0);
  return [...placement.nodes.keys()].sort((a, b) => a - b);
}

const skipNote = many
  ? ""
  : ` (skipped: ${topology.isAvailable ? "this machine has one NUMA node" : topology.reason})`;

test.skipIf(!many)(`mapRegion puts base pages on the node asked for${skipNote}`, () => {
  for (const node of nodes) {
    const region = mapRegion({
      bytes: 1 << 20,
      purpose: "placement test",
      policy: { hugePages: "off", node },
      pages: "now",
    });
    expect(nodesOf(region)).toEqual([node]);
    expect(region.refusals).toEqual({});
    region.unmap();
  }
});

test.skipIf(!many)(`mapRegion puts pages that come on touch on the node asked for${skipNote}`, () => {
  for (const node of nodes) {
    const region = mapRegion({
      bytes: 4 * HUGE_PAGE_BYTES,
      purpose: "placement test",
      policy: { hugePages: "off", node },
    });
    new Uint8Array(region.buffer).fill(1);
    expect(nodesOf(region)).toEqual([node]);
    region.unmap();
  }
});

test.skipIf(!many)(`mapRegion spreads an interleaved region over all nodes alike${skipNote}`, () => {
  const policy = { hugePages: "off", interleaveNodes: nodes } as const;
  const region = mapRegion({ bytes: 2 << 20, purpose: "placement test", policy, pages: "now" });
  const placement = pagePlacement(region.address, region.bytes, 512);
  if (typeof placement === "string") throw new Error(placement);
  for (const node of nodes) expect(placement.nodes.get(node)).toBeCloseTo(512 / nodes.length, -1);
  region.unmap();
});

test.skipIf(!many || nodes.some((node) => freeHugePages(node) < 4))(
  `mapRegion takes reserved huge pages from the node asked for, and says so${skipNote}`,
  () => {
    for (const node of nodes) {
      const before = freeHugePages(node);
      const policy = { hugePages: "require", node } as const;
      const region = mapRegion({ bytes: 4 * HUGE_PAGE_BYTES, purpose: "placement test", policy });
      expect(region.kind).toBe("reserved");
      expect(nodesOf(region)).toEqual([node]);
      expect(freeHugePages(node)).toBe(before - 4);
      const entries = listRegions().filter((entry) => entry.address === region.address);
      expect(entries[0]).toMatchObject({
        kind: "reserved",
        asked: { node, hugePages: "require" },
        refusals: {},
      });
      expect(regionPages(entries).get(region.address)).toMatchObject({
        reserved: region.bytes,
        resident: region.bytes,
      });
      region.unmap();
      expect(freeHugePages(node)).toBe(before);
    }
  },
);

test.skipIf(!many || nodes.some((node) => freeHugePages(node) < 4))(
  `mapRegion survives a node whose pool is short while another's is not: "try" falls back, "require" refuses${skipNote}`,
  () => {
    const [node, other] = nodes as [number, number];
    // More than the node has, less than the machine: mmap alone would grant it, and the first touch would kill.
    const bytes = (freeHugePages(node) + Math.min(2, freeHugePages(other))) * HUGE_PAGE_BYTES;
    const fallen = mapRegion({ bytes, purpose: "placement test", policy: { hugePages: "try", node } });
    expect(fallen.kind).not.toBe("reserved");
    expect(fallen.refusals.reservedPages).toBeDefined();
    new Uint8Array(fallen.buffer).fill(1);
    expect(nodesOf(fallen)).toEqual([node]);
    fallen.unmap();
    expect(() =>
      mapRegion({ bytes, purpose: "placement test", policy: { hugePages: "require", node } }),
    ).toThrow(OperatorError);
    expect(listRegions().some((entry) => entry.purpose === "placement test")).toBe(false);
  },
);

test("mapRegion reports a node that does not exist as a refusal of binding, and maps all the same", () => {
  const region = mapRegion({
    bytes: 65_536,
    purpose: "placement test",
    policy: { hugePages: "off", node: 63 },
  });
  expect(region.refusals.binding).toBe("EINVAL");
  new Uint8Array(region.buffer).fill(1);
  region.unmap();
});
