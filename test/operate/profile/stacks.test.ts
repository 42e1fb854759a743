import { describe, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import type { ProfileSlice } from "../../../src/observe/profile-slice.ts";
import { pprofBytes } from "../../../src/operate/profile/pprof.ts";
import { speedscopeText } from "../../../src/operate/profile/speedscope.ts";
import {
  doorbellWaits,
  hotFunctions,
  type Stacks,
  stacksOf,
  totalMs,
} from "../../../src/operate/profile/stacks.ts";

const FFI = "file:///x/src/ffi/vector.ts";
const script = {
  nodes: [
    { name: "(root)", file: "", line: -1, parent: -1 },
    { name: "recall", file: "file:///x/src/engine/recaller.ts", line: 79, parent: 0 },
    { name: "searchGraph", file: FFI, line: 214, parent: 1 },
    { name: "wait", file: "", line: -1, parent: 0 },
    { name: "burn", file: "file:///x/src/engine/recaller.ts", line: 9, parent: 1 },
  ],
  samples: [3, 2, 4, 4],
  times_ms: [1000, 1001, 1040, 1045],
};
const native = {
  period_ms: 10,
  has_kernel: true,
  frames: [
    { name: "dot_bf16", library: "libengram.so" },
    { name: "[JavaScript]", library: "" },
    { name: "[bun]", library: "bun" },
    { name: "[kernel]", library: "" },
    { name: "__sigsuspend", library: "libc.so.6" },
  ],
  stacks: [
    [0, 1, 2],
    [1, 1, 2],
    [3, 2, 2],
    [4, 1, 2],
  ],
  threads: [
    { name: "api-0", id: 7, samples: [0, 1, 1, 3, 1], times_ms: [1000, 1041, 1046, 1047, 5000], lost: 0 },
    { name: "HeapHelper", id: 8, samples: [2], times_ms: [1000], lost: 0 },
  ],
};
const slice: ProfileSlice = {
  started_at_ms: 1000,
  ended_at_ms: 2000,
  script_interval_ms: 5,
  threads: [{ name: "api-0", script }],
  native,
  spaces: [],
  missing: [],
};
const readable = ({ frames, threads }: Stacks): string[] =>
  threads.flatMap(({ name, stacks }) =>
    stacks.map(
      ({ frames: stack, ms }) => `${name} ${stack.map((place) => frames[place]!.name).join(" > ")} ${ms}`,
    ),
  );

describe("stacksOf", () => {
  test("stacksOf lays native samples under the JavaScript that called them, nearest in time", () => {
    expect(readable(stacksOf([slice]))).toEqual([
      "api-0 recall > searchGraph > dot_bf16 10",
      "api-0 recall > burn 30",
      "api-0 [bun] > [JavaScript] 10",
      "HeapHelper [bun] > [kernel] 10",
    ]);
  });

  test("stacksOf adds up what several slices saw", () => {
    const twice = stacksOf([slice, slice]);
    expect(totalMs(twice.threads[0]!)).toBe(100);
    expect(twice.frames).toEqual(stacksOf([slice]).frames);
  });

  test("stacksOf goes by JavaScript alone where the kernel refuses, and leaves waits out", () => {
    const alone = stacksOf([{ ...slice, native: null }]);
    expect(readable(alone)).toEqual(["api-0 recall > searchGraph 5", "api-0 recall > burn 10"]);
    expect(alone.threads[0]!.measures).toBe("script");
    expect(hotFunctions(alone)[0]).toMatchObject({ name: "burn", is_certain: false });
  });

  test("hotFunctions names the function that burns, with its file and line", () => {
    expect(hotFunctions(stacksOf([slice]))).toEqual([
      { thread: "api-0", name: "burn", file: "src/engine/recaller.ts:10", self: 0.6, is_certain: true },
    ]);
  });

  test("doorbellWaits is the share of samples in which a thread slept", () => {
    expect(doorbellWaits([slice])).toEqual(new Map([["api-0", 0.25]]));
  });
});

describe("files for other viewers", () => {
  const stacks = stacksOf([slice]);

  test("speedscopeText holds one profile for each thread, whose weights add up", () => {
    const file = JSON.parse(speedscopeText(stacks, "0.1.0"));
    expect(
      file.profiles.map(({ name, endValue }: { name: string; endValue: number }) => [name, endValue]),
    ).toEqual([
      ["api-0", 50],
      ["HeapHelper", 10],
    ]);
    expect(file.shared.frames).toContainEqual({ name: "burn", file: "src/engine/recaller.ts", line: 10 });
    for (const profile of file.profiles) {
      expect(profile.samples).toHaveLength(profile.weights.length);
      for (const stack of profile.samples) {
        for (const place of stack) expect(file.shared.frames[place]).toBeDefined();
      }
    }
  });

  test("pprofBytes decodes to the same stacks, innermost first, with the thread as a label", () => {
    const bytes = pprofBytes(stacks, { startedAtMs: 1000, seconds: 1 });
    const profile = Profile.decode(gunzipSync(bytes));
    const text = (place: number | bigint): string => profile.stringTable.strings[Number(place)]!;
    const names = new Map(profile.function.map(({ id, name }) => [Number(id), text(name)]));
    const lines = profile.sample.map(({ locationId, value, label }) => {
      const stack = locationId.map((id) => names.get(Number(id)));
      return `${text(label[0]!.str)} ${stack.join(" < ")} ${Number(value[0]) / 1e6}`;
    });
    expect(lines).toContain("api-0 dot_bf16 < searchGraph < recall 10");
    expect(lines).toContain("HeapHelper [kernel] < [bun] 10");
  });
});
