/** Stacks as `go tool pprof` reads them (profile.proto, gzipped); a sample carries the thread as a label. */
import {
  Function as CodeFunction,
  Label,
  Line,
  Location,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from "pprof-format";
import type { Stacks } from "./stacks.ts";

const NS_PER_MS = 1e6;

export function pprofBytes(
  { frames, threads }: Stacks,
  when: { readonly startedAtMs: number; readonly seconds: number },
): Uint8Array {
  const strings = new StringTable();
  const text = (value: string): number => strings.dedup(value);
  const places = frames.map(({ at }) => /^(.*):(\d+)$/.exec(at) ?? [at, at, "0"]);
  const functions = frames.map(
    ({ name }, index) =>
      new CodeFunction({
        id: index + 1,
        name: text(name),
        systemName: text(name),
        filename: text(places[index]![1]!),
        startLine: Number(places[index]![2]),
      }),
  );
  const locations = frames.map(
    (_, index) =>
      new Location({
        id: index + 1,
        line: [new Line({ functionId: index + 1, line: Number(places[index]![2]) })],
      }),
  );
  const samples = threads.flatMap(({ name, stacks }) =>
    stacks.map(
      ({ frames: stack, ms }) =>
        new Sample({
          // The innermost comes first.
          locationId: [...stack].reverse().map((place) => place + 1),
          value: [Math.round(ms * NS_PER_MS)],
          label: [new Label({ key: text("thread"), str: text(name) })],
        }),
    ),
  );
  const cpu = new ValueType({ type: text("cpu"), unit: text("nanoseconds") });
  const profile = new Profile({
    sampleType: [cpu],
    sample: samples,
    location: locations,
    function: functions,
    stringTable: strings,
    timeNanos: BigInt(Math.round(when.startedAtMs)) * 1_000_000n,
    durationNanos: Math.round(when.seconds * 1e9),
    periodType: cpu,
    period: 1,
  });
  return Bun.gzipSync(profile.encode() as Uint8Array<ArrayBuffer>);
}
