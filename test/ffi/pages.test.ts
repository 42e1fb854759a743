import { expect, test } from "bun:test";
import { OperatorError } from "../../src/base/errors.ts";
import {
  discardPages,
  HUGE_PAGE_BYTES,
  mapPages,
  pagePlacement,
  populatePages,
  unmapPages,
  viewMemory,
} from "../../src/ffi/pages.ts";

test("mapPages gives zeroed memory that is aligned to huge pages once it is large enough", () => {
  const small = mapPages({ bytes: 65_536, hugePages: "try", populate: "none" });
  const large = mapPages({ bytes: 2 * HUGE_PAGE_BYTES, hugePages: "try", populate: "reserved" });
  expect(small.kind).toBe("base");
  expect(large.address % HUGE_PAGE_BYTES).toBe(0);
  const memory = new Uint8Array(viewMemory(large.address, large.bytes));
  expect(memory.every((byte) => byte === 0)).toBe(true);
  memory[memory.length - 1] = 7;
  expect(memory.at(-1)).toBe(7);
  for (const { address, bytes } of [small, large]) unmapPages(address, bytes);
});

test("mapPages leaves pages to the first touch unless they are asked for at once", () => {
  const lazy = mapPages({ bytes: HUGE_PAGE_BYTES, hugePages: "off", populate: "none" });
  const eager = mapPages({ bytes: HUGE_PAGE_BYTES, hugePages: "off", populate: "all" });
  expect(pagePlacement(lazy.address, lazy.bytes, 64)).toEqual({ nodes: new Map(), absent: 64 });
  const placed = pagePlacement(eager.address, eager.bytes, 64);
  if (typeof placed === "string") throw new Error(placed);
  expect(placed.absent).toBe(0);
  new Uint8Array(viewMemory(lazy.address, lazy.bytes))[0] = 1;
  expect(pagePlacement(lazy.address, lazy.bytes, 512)).toMatchObject({ absent: 511 });
  populatePages(lazy.address, lazy.bytes);
  expect(pagePlacement(lazy.address, lazy.bytes, 512)).toMatchObject({ absent: 0 });
  for (const { address, bytes } of [lazy, eager]) unmapPages(address, bytes);
});

test("discardPages lets pages go, and they read as zeros", () => {
  const { address, bytes } = mapPages({ bytes: 65_536, hugePages: "off", populate: "all" });
  const memory = new Uint8Array(viewMemory(address, bytes)).fill(9);
  discardPages(address, bytes);
  expect(pagePlacement(address, bytes, 16)).toMatchObject({ absent: 16 });
  expect(memory[1000]).toBe(0);
  unmapPages(address, bytes);
});

test("mapPages refuses what is required and not there, with a remedy, instead of being killed later", () => {
  const tooMany = 1024 ** 4;
  let refusal: unknown;
  try {
    mapPages({ bytes: tooMany, hugePages: "require", populate: "reserved" });
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(OperatorError);
  expect((refusal as OperatorError).code).toBe("memory-refused");
  expect((refusal as OperatorError).remedy).toContain("nr_hugepages");
});

test("a write just outside a mapping faults instead of damaging a neighbour", async () => {
  const write = async (offset: string): Promise<string> => {
    const script = `
      import { mapPages, viewMemory } from ${JSON.stringify(`${import.meta.dir}/../../src/ffi/pages.ts`)};
      const mapped = mapPages({ bytes: 65536, hugePages: "off", populate: "all" });
      new Uint8Array(viewMemory(mapped.address + ${offset}, 1))[0] = 1;
      console.log("survived");`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "ignore" });
    const words = await new Response(child.stdout).text();
    await child.exited;
    return `${words.trim()} ${child.signalCode ?? child.exitCode}`;
  };
  expect(await write("0")).toBe("survived 0");
  expect(await write("mapped.bytes - 1")).toBe("survived 0");
  for (const outside of ["-1", "mapped.bytes"])
    expect(await write(outside)).toMatch(/^ (SIG(SEGV|TRAP|ILL|ABRT)|1\d\d)$/);
});

test("pagePlacement of unmapped memory counts it as absent instead of failing", () => {
  const { address, bytes } = mapPages({ bytes: 65_536, hugePages: "off", populate: "all" });
  unmapPages(address, bytes);
  expect(pagePlacement(address, bytes, 16)).toMatchObject({ absent: 16 });
});
