/** Why a counter can not be had, and what would help: the errnos of perf_event_open(2) in an operator's words. */
import type { Processor } from "./hardware-events.ts";

export type Unavailable = {
  readonly state: "unavailable";
  readonly reason: string;
  /** undefined where nothing helps on this machine */
  readonly remedy: string | undefined;
};

export function unavailable(reason: string, remedy?: string): Unavailable {
  return { state: "unavailable", reason, remedy };
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
            "this virtual machine shows no such counter of its processor",
            "Let the hypervisor pass the processor's counters on (QEMU: -cpu host,pmu=on), or run on bare metal",
          )
        : unavailable("this processor has no such counter");
    case "EACCES":
    case "EPERM":
      return (paranoid ?? 0) > 2
        ? unavailable(
            `kernel.perf_event_paranoid is ${paranoid}, and the process lacks CAP_PERFMON`,
            "Run it with CAP_PERFMON, as the installed unit does, or `sysctl kernel.perf_event_paranoid=2`",
          )
        : unavailable(
            `the system refuses perf_event_open (${errno}) though kernel.perf_event_paranoid is ${paranoid ?? "not told"}`,
            "Allow perf_event_open in the filter of system calls (SystemCallFilter= of the unit, seccomp of the container)",
          );
    case "ENOSYS":
      return unavailable(
        "this kernel has no perf_event_open, or a filter of system calls hides it",
        "Allow perf_event_open in the seccomp profile of the container",
      );
    case "EMFILE":
    case "ENFILE":
      return unavailable(
        "no descriptor was left: a counter takes one",
        "Raise LimitNOFILE= of the unit, or `ulimit -n`",
      );
    case "EBUSY":
      return unavailable(
        "another program holds the processor's counters",
        "Stop it, then start the appliance again",
      );
    case "ESRCH":
      return unavailable("the thread has ended");
    case "EINVAL":
      return unavailable("this processor can not count it for one thread");
    default:
      return unavailable(`perf_event_open answers ${errno}`);
  }
}
