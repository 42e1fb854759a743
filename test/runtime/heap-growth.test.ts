import { expect, test } from "bun:test";

const ROOM = JSON.stringify(`${import.meta.dir}/../../src`);
const UNBOUND = Object.entries(process.env).filter(([name]) => !name.startsWith("BUN_JSC_"));

async function run(
  script: string,
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<string> {
  const child = Bun.spawn([process.execPath, "-e", script, ...args], {
    env: { ...Object.fromEntries(UNBOUND), ...more },
    stdout: "pipe",
    stderr: "inherit",
  });
  const words = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return words;
}

test("boundHeapGrowth starts the program again in the same process, with its arguments and environment", async () => {
  const script = `
    const { boundHeapGrowth } = await import(${ROOM} + "/runtime/heap-growth.ts");
    console.log(process.pid, process.env.BUN_JSC_heapGrowthMaxIncrease ?? "unbounded", process.argv.slice(-2).join(), process.env.KEPT);
    console.log(boundHeapGrowth() ?? "bounded");`;
  const words = await run(script, ["two words", "ü"], { KEPT: "yes" });
  const [before, after, outcome] = words.trim().split("\n");
  expect(before).toMatch(/^\d+ unbounded two words,ü yes$/);
  expect(after).toBe(before!.replace("unbounded", "0.5"));
  expect(outcome).toBe("bounded");
});

test("boundHeapGrowth keeps garbage small beside large views", async () => {
  const script = `
    const { boundHeapGrowth } = await import(${ROOM} + "/runtime/heap-growth.ts");
    if (process.argv.at(-1) === "bounded") boundHeapGrowth();
    const { mapRegion } = await import(${ROOM} + "/shm/region.ts");
    const { processMemory } = await import(${ROOM} + "/base/process-facts.ts");
    globalThis.kept = Array.from({ length: 16 }, () =>
      mapRegion({ bytes: 16 * 1024 ** 2, purpose: "test", policy: { hugePages: "off" } }).buffer);
    const before = processMemory().residentBytes;
    let most = 0;
    let made = 0;
    for (let round = 0; round < 1500; round++) {
      for (let i = 0; i < 1000; i++) made += new Uint8Array(1000 + (i & 1)).length;
      most = Math.max(most, processMemory().residentBytes - before);
      if (round % 20 === 0) await Bun.sleep(0);
    }
    console.log(Math.round(most / 1024 ** 2));`;
  const unbounded = Number(await run(script, ["unbounded"]));
  const bounded = Number(await run(script, ["bounded"]));
  console.log(`garbage: ${unbounded} MiB unbounded, ${bounded} MiB bounded`);
  // Half of the 256 MiB that are viewed, and what is not collected at once: 139 MiB. Unbounded it was 149 to 290,
  // since idle moments collect too, at times of their own; so the two are not compared with each other.
  expect(bounded).toBeLessThan(147);
}, 60_000);
