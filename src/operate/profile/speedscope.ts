/** Stacks as speedscope reads them (https://www.speedscope.app/file-format-schema.json): one profile for each thread. */
import { type Stacks, totalMs } from "./stacks.ts";

export function speedscopeText({ frames, threads }: Stacks, program: string): string {
  return JSON.stringify({
    $schema: "https://www.speedscope.app/file-format-schema.json",
    exporter: `engram-appliance ${program}`,
    name: "engram-appliance",
    activeProfileIndex: 0,
    shared: {
      frames: frames.map(({ name, at }) => {
        const found = /^(.*):(\d+)$/.exec(at);
        if (found === null) return at === "" ? { name } : { name, file: at };
        return { name, file: found[1], line: Number(found[2]) };
      }),
    },
    profiles: threads.map((thread) => ({
      type: "sampled",
      name: thread.name,
      unit: "milliseconds",
      startValue: 0,
      endValue: totalMs(thread),
      samples: thread.stacks.map(({ frames: stack }) => stack),
      weights: thread.stacks.map(({ ms }) => ms),
    })),
  });
}
