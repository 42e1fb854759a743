/** Why a counter can not be had, and what would help: the errnos of perf_event_open(2) in an operator's words. */
import type { Processor } from "./hardware-events.ts";

/** Kinds of reasons, for a metric's label. */
export const REFUSALS = [
  "no_counter",
  "unknown",
  "no_right",
  "no_descriptor",
  "busy",
  "untrusted",
  "idle",
  "failed",
] as const;
export type Refusal = (typeof REFUSALS)[number];

export type Unavailable = {
  readonly state: "unavailable";
  readonly refusal: Refusal;
  readonly reason: string;
  /** undefined where nothing helps on this machine */
  readonly remedy: string | undefined;
};

export function unavailable(refusal: Refusal, reason: string, remedy?: string): Unavailable {
  return { state: "unavailable", refusal, reason, remedy };
}

/** What the machine says about counters besides the errno. */
export type CounterSurroundings = {
  readonly processor: Processor;
  /** kernel.perf_event_paranoid; undefined where it can not be read */
  readonly paranoid: number | undefined;
};

/** @param errno as C names it */
export function explainRefusal(errno: string, { processor, paranoid }: CounterSurroundings): Unavailable {
  switch (errno) {
    case "ENOENT":
    case "EOPNOTSUPP":
    case "ENODEV":
      return processor.isVirtual
        ? unavailable(
            "no_counter",
            "this virtual machine shows no such counter of its processor",
            "Let the hypervisor pass the processor's counters on (QEMU: -cpu host,pmu=on), or run on bare metal",
          )
        : unavailable("no_counter", "this processor has no such counter");
    case "EACCES":
    case "EPERM":
      return (paranoid ?? 0) > 2
        ? unavailable(
            "no_right",
            `kernel.perf_event_paranoid is ${paranoid}, and the process lacks CAP_PERFMON`,
            "Run it with CAP_PERFMON, as the installed unit does, or `sysctl kernel.perf_event_paranoid=2`",
          )
        : unavailable(
            "no_right",
            `the system refuses perf_event_open (${errno}) though kernel.perf_event_paranoid is ${paranoid ?? "not told"}`,
            "Allow perf_event_open in the filter of system calls (SystemCallFilter= of the unit, seccomp of the container)",
          );
    case "ENOSYS":
      return unavailable(
        "no_right",
        "this kernel has no perf_event_open, or a filter of system calls hides it",
        "Allow perf_event_open in the seccomp profile of the container",
      );
    case "EMFILE":
    case "ENFILE":
      return unavailable(
        "no_descriptor",
        "no descriptor was left: a counter takes one",
        "Raise LimitNOFILE= of the unit, or `ulimit -n`",
      );
    case "EBUSY":
      return unavailable(
        "busy",
        "another program holds the processor's counters",
        "Stop it, then start the appliance again",
      );
    case "ESRCH":
      return unavailable("failed", "the thread has ended");
    case "EINVAL":
      return unavailable("no_counter", "this processor can not count it for one thread");
    default:
      return unavailable("failed", `perf_event_open answers ${errno}`);
  }
}
