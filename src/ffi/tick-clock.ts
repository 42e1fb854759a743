/**
 * Monotonic time from the processor's own counter, in a third to half of what the system's clock costs
 * (10 against 30 ns on an idle machine, 28 against 49 on a busy one: bench/ffi/calls.bench.ts).
 *
 * Trusted only where the counter runs at one rate in every state of every core: on x86-64 the flags
 * constant_tsc and nonstop_tsc, and the kernel not having struck the TSC off its list of clock sources (it
 * does when it sees it drift between cores); on arm64 by architecture. Elsewhere `nowNs` is the system's
 * clock, and `reason` says why. The rate is found once per process, in 5 ms, by the first thread that opens.
 */
import { readFileSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { errnoName, openShim } from "./library.ts";

const CALIBRATE_MS = 5;

const shim = openShim({
  shim_clock_calibrate: { args: ["u32"], returns: "i32" },
  shim_clock_ns: { args: [], returns: "f64" },
  shim_clock_ns_per_tick: { args: [], returns: "f64" },
  shim_clock_is_invariant: { args: [], returns: "i32" },
});

export type TickClock = {
  /** Monotonic ns; comparable between the threads of the process, with no other clock. */
  readonly nowNs: () => number;
  /** "tsc" and "cntvct" are the processor's counters, "system" the clock */
  readonly source: "tsc" | "cntvct" | "system";
  /** why the counter is not used */
  readonly reason?: string;
  /** of the counter */
  readonly nsPerTick?: number;
};

export function openTickClock(): TickClock {
  const distrust = whyNotTrusted();
  if (distrust !== undefined) return { nowNs: systemClock.nowNs, source: "system", reason: distrust };
  const answer = shim.shim_clock_calibrate(CALIBRATE_MS);
  if (answer < 0) {
    const reason = `the counter can not be calibrated: ${errnoName(-answer)}`;
    return { nowNs: systemClock.nowNs, source: "system", reason };
  }
  const source = process.arch === "arm64" ? "cntvct" : "tsc";
  return { nowNs: shim.shim_clock_ns, source, nsPerTick: shim.shim_clock_ns_per_tick() };
}

function whyNotTrusted(): string | undefined {
  if (process.arch === "arm64") return undefined;
  const flags = /^flags\s*:(.*)$/m.exec(readText("/proc/cpuinfo"))?.[1]?.split(" ") ?? [];
  for (const flag of ["constant_tsc", "nonstop_tsc"]) {
    if (!flags.includes(flag)) return `the processor does not show ${flag}`;
  }
  if (shim.shim_clock_is_invariant() !== 1) return "the processor does not promise an invariant counter";
  const sources = readText("/sys/devices/system/clocksource/clocksource0/available_clocksource");
  if (!sources.split(/\s+/).includes("tsc")) return "the kernel does not list tsc among its clock sources";
  return undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
