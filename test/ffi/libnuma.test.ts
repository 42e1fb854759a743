import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readNumaTopology } from "../../src/ffi/libnuma.ts";

const topology = readNumaTopology();

test.skipIf(!topology.isAvailable)("readNumaTopology agrees with the kernel's own files", () => {
  if (!topology.isAvailable) return;
  const root = "/sys/devices/system/node";
  const numbers = readdirSync(root)
    .filter((name) => /^node\d+$/.test(name))
    .map((name) => Number(name.slice(4)))
    .sort((a, b) => a - b);
  expect(topology.nodes.map((node) => node.node)).toEqual(numbers);
  for (const node of topology.nodes) {
    const directory = `${root}/node${node.node}`;
    const memTotalKib = Number(/MemTotal: +(\d+)/.exec(readFileSync(`${directory}/meminfo`, "utf8"))![1]);
    // Memory may be plugged in or out between the two readings (virtio-mem, balloons).
    expect(Math.abs(node.totalBytes / (memTotalKib * 1024) - 1)).toBeLessThan(0.1);
    expect(node.freeBytes).toBeLessThanOrEqual(node.totalBytes);
    expect(node.distances).toEqual(
      readFileSync(`${directory}/distance`, "utf8").trim().split(" ").map(Number),
    );
    const online = node.cpus.filter((cpu) => existsSync(`${directory}/cpu${cpu}`));
    expect(online).toEqual([...node.cpus]);
  }
});

test.skipIf(topology.isAvailable)("readNumaTopology says what is missing and how to get it", () => {
  if (topology.isAvailable) return;
  expect(topology.reason.length).toBeGreaterThan(5);
  expect(topology.remedy.length).toBeGreaterThan(5);
});
