import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { shimPath } from "../../src/ffi/library.ts";
import { libraryBase, type StackSamples, stackSamples } from "../../src/ffi/stack-samples.ts";
import { threadId } from "../../src/ffi/threads.ts";
import { CodeMap, plainName, readSymbols } from "../../src/observe/code-map.ts";
import { NativeSampler } from "../../src/observe/native-sampler.ts";
import { ScriptSampler } from "../../src/observe/script-sampler.ts";

const refused = (() => {
  const handle = stackSamples.open({ threadId: threadId(), periodNs: 1e6, isUserOnly: true });
  if (typeof handle === "string") return handle;
  stackSamples.close(handle);
  return undefined;
})();
if (refused !== undefined)
  console.warn(`native stacks are not sampled here: perf_event_open answers ${refused}`);

/** Keeps the processor in one function for a while. */
function burnInSampler(ms: number): number {
  const end = performance.now() + ms;
  let sum = 0;
  while (performance.now() < end) for (let i = 0; i < 1000; i++) sum += Math.sqrt(i + sum);
  return sum;
}

describe("NativeSampler", () => {
  test.skipIf(refused !== undefined)(
    "NativeSampler sees the thread that burns, and gives everything back",
    () => {
      const before = readFileSync("/proc/self/maps", "utf8").match(/perf_event/g)?.length ?? 0;
      const sampler = new NativeSampler();
      burnInSampler(400);
      const { native } = sampler.stop();
      const own = native!.threads.find(({ id }) => id === threadId())!;
      expect(own.samples.length).toBeGreaterThan(2);
      expect(own.samples).toHaveLength(own.times_ms.length);
      const innermost = own.samples.map((place) => native!.frames[native!.stacks[place]![0]!]!.name);
      expect(innermost).toContain("[JavaScript]");
      for (const at of own.times_ms) expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
      expect(readFileSync("/proc/self/maps", "utf8").match(/perf_event/g)?.length ?? 0).toBe(before);
    },
  );

  test("NativeSampler says why it has nothing, and what would help", () => {
    const refusing = (errno: string): StackSamples => ({
      open: () => errno,
      take: () => ({ samples: [], lost: 0 }),
      close: () => undefined,
    });
    for (const errno of ["EACCES", "EPERM", "ENOSYS", "EMFILE"]) {
      const { native, missing } = new NativeSampler(refusing(errno)).stop();
      expect(native).toBeNull();
      expect(missing).toHaveLength(1);
      expect(missing[0]!.what).toBe("native stacks");
      expect(missing[0]!.remedy).not.toBe("");
    }
  });

  test("NativeSampler does without the kernel's time where only that is refused", () => {
    const door: StackSamples = {
      open: ({ isUserOnly }) => (isUserOnly ? 1 : "EACCES"),
      take: () => ({ samples: [], lost: 0 }),
      close: () => undefined,
    };
    const { native, missing } = new NativeSampler(door).stop();
    expect(native!.has_kernel).toBe(false);
    expect(missing.map(({ what }) => what)).toEqual(["time of threads in the kernel"]);
  });
});

describe("ScriptSampler", () => {
  test("ScriptSampler sees the function that burns, and can be started again", () => {
    const sampler = new ScriptSampler();
    for (let round = 0; round < 2; round++) {
      sampler.start();
      burnInSampler(600);
      const seen = sampler.stop();
      if (typeof seen === "string") throw new Error(seen);
      const names = seen.samples.map((place) => seen.nodes[place]!.name);
      expect(names).toContain("burnInSampler");
      expect(seen.samples).toHaveLength(seen.times_ms.length);
    }
    expect(sampler.isRunning).toBe(false);
    expect(sampler.stop()).toBe("it was not started");
  });
});

describe("CodeMap", () => {
  test("CodeMap names functions of our library by where it is loaded", () => {
    const symbols = readSymbols(readFileSync(shimPath))!;
    const place = symbols.names.indexOf("shim_library_base");
    expect(place).toBeGreaterThanOrEqual(0);
    const code = new CodeMap(readFileSync("/proc/self/maps", "utf8"), {
      base: libraryBase(),
      path: shimPath,
    });
    expect(code.frameOf(libraryBase() + symbols.starts[place]! + 1)).toEqual({
      name: "shim_library_base",
      library: "libengram.so",
    });
  });

  test("CodeMap takes what no file holds for compiled JavaScript, and the program by its name", () => {
    const maps = [
      "00400000-00500000 r-xp 00000000 08:01 1    /opt/engram-appliance",
      "7f0000000000-7f0000010000 rwxp 00000000 00:00 0 ",
    ].join("\n");
    const code = new CodeMap(maps, { base: 1, path: "none" });
    expect(code.frameOf(0x7f0000000010).name).toBe("[JavaScript]");
    expect(code.frameOf(0x400010)).toEqual({ name: "[engram-appliance]", library: "engram-appliance" });
    expect(code.frameOf(0x10).name).toBe("[JavaScript]");
  });

  test("readSymbols refuses what is no ELF file, and plainName leaves arguments out", () => {
    expect(readSymbols(Buffer.alloc(100))).toBeUndefined();
    expect(plainName("_ZN6engram12_GLOBAL__N_16insertERKNS_5GraphE")).toBe("engram::(anonymous)::insert");
    expect(plainName("shim_crc32c")).toBe("shim_crc32c");
  });
});
