/**
 * Samples native stacks of all threads of the process through the kernel, and names what they were in.
 *
 * A thread asks for a few rights (kernel.perf_event_paranoid 2 is enough for time outside the kernel) and, for its
 * ring, 36 KiB of what kernel.perf_event_mlock_kb allows. What is refused is named with the reason.
 */
import { readdirSync, readFileSync } from "node:fs";
import { shimPath } from "../ffi/library.ts";
import {
  KERNEL_FRAME,
  libraryBase,
  type StackSample,
  type StackSamples,
  stackSamples,
} from "../ffi/stack-samples.ts";
import { CodeMap, KERNEL } from "./code-map.ts";
import type { Missing } from "./host-snapshot.ts";
import type { NativeFrame, NativeSamples } from "./profile-slice.ts";

const PERIOD_MS = 10.1;
/** Rings hold a quarter of a second of deep stacks. */
const DRAIN_MS = 100;
const THREADS_MAX = 256;
const WHAT = "native stacks";

type Sampled = {
  readonly id: number;
  readonly name: string;
  readonly handle: number;
  readonly samples: StackSample[];
  lost: number;
};

export class NativeSampler {
  readonly #door: StackSamples;
  readonly #threads: Sampled[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #missing: Missing[] = [];
  #hasKernel = true;

  /** Begins to sample every thread that there is now. */
  constructor(door: StackSamples = stackSamples) {
    this.#door = door;
    const refusals = new Map<string, number>();
    for (const { id, name } of threadsOfProcess().slice(0, THREADS_MAX)) {
      const handle = this.#open(id);
      if (typeof handle === "number") this.#threads.push({ id, name, handle, samples: [], lost: 0 });
      // A thread that ended meanwhile is missed by nobody.
      else if (handle !== "ESRCH") refusals.set(handle, (refusals.get(handle) ?? 0) + 1);
    }
    for (const [errno, count] of refusals) this.#missing.push(refusal(errno, count, this.#threads.length));
    this.#timer = setInterval(() => this.#drain(), DRAIN_MS);
  }

  /** Ends it, and gives everything back. */
  stop(): { readonly native: NativeSamples | null; readonly missing: readonly Missing[] } {
    clearInterval(this.#timer);
    this.#drain();
    for (const { handle } of this.#threads) this.#door.close(handle);
    if (this.#threads.length === 0) return { native: null, missing: this.#missing };
    if (!this.#hasKernel) {
      this.#missing.push({
        what: "time of threads in the kernel",
        reason: "kernel.perf_event_paranoid is above 1, and the process lacks CAP_PERFMON",
        remedy:
          "Run it with CAP_PERFMON, as the installed unit does, or `sysctl kernel.perf_event_paranoid=1`",
      });
    }
    return { native: this.#named(), missing: this.#missing };
  }

  #open(threadId: number): number | string {
    const asked = { threadId, periodNs: PERIOD_MS * 1e6 };
    if (this.#hasKernel) {
      const handle = this.#door.open({ ...asked, isUserOnly: false });
      if (handle !== "EACCES") return handle;
      this.#hasKernel = false;
    }
    return this.#door.open({ ...asked, isUserOnly: true });
  }

  #drain(): void {
    for (const thread of this.#threads) {
      const { samples, lost } = this.#door.take(thread.handle);
      thread.samples.push(...samples);
      thread.lost += lost;
    }
  }

  #named(): NativeSamples {
    const code = new CodeMap(readFileSync("/proc/self/maps", "utf8"), {
      base: libraryBase(),
      path: shimPath,
    });
    const frames = new Map<string, { place: number; frame: NativeFrame }>();
    const stacks = new Map<string, { place: number; stack: number[] }>();
    const threads = this.#threads.map(({ id, name, samples, lost }) => ({
      id,
      name,
      lost,
      times_ms: samples.map(({ atMs }) => Math.round(atMs * 10) / 10),
      samples: samples.map((sample) => {
        const stack = sample.frames.map((address) => {
          const frame = address === KERNEL_FRAME ? KERNEL : code.frameOf(address);
          const key = `${frame.library} ${frame.name}`;
          const known = frames.get(key) ?? { place: frames.size, frame };
          frames.set(key, known);
          return known.place;
        });
        const key = stack.join();
        const known = stacks.get(key) ?? { place: stacks.size, stack };
        stacks.set(key, known);
        return known.place;
      }),
    }));
    return {
      period_ms: PERIOD_MS,
      has_kernel: this.#hasKernel,
      frames: [...frames.values()].map(({ frame }) => frame),
      stacks: [...stacks.values()].map(({ stack }) => stack),
      threads,
    };
  }
}

function refusal(errno: string, count: number, opened: number): Missing {
  const what = opened === 0 ? WHAT : `${WHAT} of ${count} threads`;
  switch (errno) {
    case "EACCES":
      return {
        what,
        reason: "kernel.perf_event_paranoid is above 2, or the sandbox refuses perf_event_open",
        remedy: "sysctl kernel.perf_event_paranoid=2, or run it with CAP_PERFMON, as the installed unit does",
      };
    case "EPERM":
      return {
        what,
        reason: opened === 0 ? "the sandbox refuses perf_event_open" : "memory that may be locked is used up",
        remedy:
          opened === 0
            ? "Allow perf_event_open in the filter of system calls (SystemCallFilter= of the unit)"
            : "Raise kernel.perf_event_mlock_kb, or LimitMEMLOCK= of the unit",
      };
    case "ENOSYS":
    case "ENOENT":
    case "EOPNOTSUPP":
      return {
        what,
        reason: `this kernel has no perf events (${errno})`,
        remedy: "Boot a kernel with CONFIG_PERF_EVENTS",
      };
    default:
      return {
        what,
        reason: `perf_event_open: ${errno}`,
        remedy: "Raise LimitNOFILE= of the unit if it is EMFILE",
      };
  }
}

function threadsOfProcess(): { id: number; name: string }[] {
  return readdirSync("/proc/self/task").flatMap((id) => {
    try {
      const name = readFileSync(`/proc/self/task/${id}/comm`, "utf8").trim();
      return [{ id: Number(id), name: Number(id) === process.pid ? "main" : name }];
    } catch {
      return [];
    }
  });
}
