import { expect, test } from "bun:test";
import { threadId } from "../../src/ffi/threads.ts";
import { mapRegion } from "../../src/shm/region.ts";
import { listRegions, regionPages } from "../../src/shm/region-registry.ts";

test("listRegions shows what was asked, granted and by whom, until the region is given back", () => {
  const purpose = "registry test: with a ü and enough words to pass the end of the entry, ".repeat(4);
  const region = mapRegion({
    bytes: 100_000,
    purpose,
    policy: { hugePages: "off", interleaveNodes: [0], lock: true },
  });
  const entry = listRegions().find((each) => each.address === region.address)!;
  expect(entry.bytes).toBe(region.bytes);
  expect(entry.bytes).toBeGreaterThanOrEqual(100_000);
  expect(purpose.startsWith(entry.purpose)).toBe(true);
  expect(entry.purpose.length).toBeGreaterThan(150);
  expect(entry.asked).toEqual({ hugePages: "off", node: undefined, interleaveNodes: [0], lock: true });
  expect(entry.kind).toBe("base");
  expect(entry.threadId).toBe(threadId());
  region.unmap();
  expect(listRegions().some((each) => each.address === region.address)).toBe(false);
});

test("regionPages counts what is really in memory", () => {
  const region = mapRegion({ bytes: 1 << 20, purpose: "registry test", policy: { hugePages: "off" } });
  const regions = listRegions();
  expect(regionPages(regions).get(region.address)?.resident).toBe(0);
  new Uint8Array(region.buffer, 0, 300_000).fill(1);
  const pages = regionPages(regions).get(region.address)!;
  expect(pages.resident).toBeGreaterThanOrEqual(300_000);
  expect(pages.resident).toBeLessThan(400_000);
  region.unmap();
});

test("listRegions holds more regions than its table began with, as other threads see them too", async () => {
  const regions = Array.from({ length: 300 }, () =>
    mapRegion({ bytes: 4096, purpose: "registry test: many", policy: { hugePages: "off" } }),
  );
  const worker = new Worker(new URL("./workers/region-lister.ts", import.meta.url));
  const seen = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.postMessage({ purpose: "registry test: many" });
  });
  expect(seen).toBe(300);
  worker.terminate();
  for (const region of regions) region.unmap();
});
