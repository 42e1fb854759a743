/**
 * The counters of a thread: their names, how the kernel is asked for each on the processor at hand, and which of
 * them are counted together.
 *
 * Generic events are the kernel's own words for what most processors count. Where they mean something else on a
 * processor, raw events take their place, and only where vendor and model are known: a raw number that means
 * something different on another model would be an invented value.
 *
 * - Intel, packed and scalar arithmetic: FP_ARITH_INST_RETIRED (0xC7), from Broadwell on. A fused multiply-add
 *   counts twice; dot products of bf16 (VDPBF16PS) are not among what it counts.
 * - AMD, from Zen 3 on: the kernel's cache-references are the L2's, so the last-level cache is counted by where
 *   data fills came from (0x44: 0x02 own L3; 0x04, 0x10 other caches; 0x08, 0x40 memory, near and far), and
 *   remote loads by demand fills from the far side (0x43). Zen 4 and 5: operations by width (0x08).
 *   Both as the kernel's own tables have them (tools/perf/pmu-events/arch/x86).
 * - arm64: the kernel's cache-references are the L1's, so the last-level cache is asked for by its own name.
 */
import { PERF_TYPE, type PerfEvent } from "../ffi/perf-events.ts";

export const HARDWARE_EVENTS = [
  "cycles",
  "instructions",
  "branch_misses",
  "l1d_loads",
  "l1d_load_misses",
  "dtlb_load_misses",
  "llc_references",
  "llc_misses",
  "remote_loads",
  "fp_packed",
  "fp_scalar",
] as const;
export type HardwareEvent = (typeof HARDWARE_EVENTS)[number];

/** `task_clock_ns` is time on a core. */
export const SOFTWARE_EVENTS = ["task_clock_ns", "page_faults", "context_switches", "migrations"] as const;
export type SoftwareEvent = (typeof SOFTWARE_EVENTS)[number];

export type CounterName = HardwareEvent | SoftwareEvent;
export const COUNTER_NAMES: readonly CounterName[] = [...HARDWARE_EVENTS, ...SOFTWARE_EVENTS];

/**
 * Counted together or not at all, so that a ratio is one of the same moments. Each needs three of the four
 * general registers that a hyperthread of Intel has (cycles and instructions have their own), so the
 * watchdog may keep the fourth.
 */
export const HARDWARE_GROUPS = {
  pipeline: ["cycles", "instructions", "branch_misses"],
  first_level: ["l1d_loads", "l1d_load_misses", "dtlb_load_misses"],
  memory: ["llc_references", "llc_misses", "remote_loads"],
  arithmetic: ["fp_packed", "fp_scalar"],
} as const satisfies Readonly<Record<string, readonly HardwareEvent[]>>;
export const HARDWARE_GROUP_NAMES = ["pipeline", "first_level", "memory", "arithmetic"] as const;
export type HardwareGroup = (typeof HARDWARE_GROUP_NAMES)[number];

/** What /proc/cpuinfo says of the processor. */
export type Processor = {
  readonly vendor: "intel" | "amd" | "other";
  /** NaN where it is not told */
  readonly family: number;
  readonly model: number;
  readonly isVirtual: boolean;
};

/** @param cpuinfo the text of /proc/cpuinfo */
export function processorOf(cpuinfo: string): Processor {
  const field = (name: string): string =>
    new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(cpuinfo)?.[1]?.trim() ?? "";
  const vendorId = field("vendor_id");
  return {
    vendor: vendorId === "GenuineIntel" ? "intel" : vendorId === "AuthenticAMD" ? "amd" : "other",
    family: Number.parseInt(field("cpu family"), 10),
    model: Number.parseInt(field("model"), 10),
    isVirtual: field("flags").split(" ").includes("hypervisor"),
  };
}

/** How the kernel is asked for a counter; or, as text, why there is no way to ask on this processor. */
export function hardwareEvent(name: HardwareEvent, processor: Processor): PerfEvent | string {
  switch (name) {
    case "cycles":
      return { type: PERF_TYPE.hardware, config: 0 };
    case "instructions":
      return { type: PERF_TYPE.hardware, config: 1 };
    case "branch_misses":
      return { type: PERF_TYPE.hardware, config: 5 };
    case "l1d_loads":
      return cacheEvent(CACHE.l1d, RESULT.access);
    case "l1d_load_misses":
      return cacheEvent(CACHE.l1d, RESULT.miss);
    case "dtlb_load_misses":
      return cacheEvent(CACHE.dtlb, RESULT.miss);
    case "llc_references":
      if (processor.vendor === "amd") return fromZen3(processor, raw(0x44, 0x5e));
      if (processor.vendor === "other") return cacheEvent(CACHE.llc, RESULT.access);
      return { type: PERF_TYPE.hardware, config: 2 };
    case "llc_misses":
      if (processor.vendor === "amd") return fromZen3(processor, raw(0x44, 0x5c));
      if (processor.vendor === "other") return cacheEvent(CACHE.llc, RESULT.miss);
      return { type: PERF_TYPE.hardware, config: 3 };
    case "remote_loads":
      if (processor.vendor === "amd") return fromZen3(processor, raw(0x43, 0x50));
      return cacheEvent(CACHE.node, RESULT.miss);
    case "fp_packed":
      return arithmeticEvent(processor, "packed");
    case "fp_scalar":
      return arithmeticEvent(processor, "scalar");
  }
}

/** How the kernel is asked for what it counts itself. */
export const SOFTWARE_PERF_EVENTS: Readonly<Record<SoftwareEvent, PerfEvent>> = {
  task_clock_ns: { type: PERF_TYPE.software, config: 1 },
  page_faults: { type: PERF_TYPE.software, config: 2 },
  context_switches: { type: PERF_TYPE.software, config: 3 },
  migrations: { type: PERF_TYPE.software, config: 4 },
};

/** As perf_event_open(2) numbers caches and what became of an access; the operation is 0, a read. */
const CACHE = { l1d: 0, llc: 2, dtlb: 3, node: 6 } as const;
const RESULT = { access: 0, miss: 1 } as const;

/** Family 6 models whose event 0xC7 has 256-bit vectors at most: Broadwell, client Skylake and its kin. */
const INTEL_256 = new Set([61, 71, 79, 86, 78, 94, 142, 158, 165, 166]);
/** And those with 512-bit ones: server Skylake, Ice Lake, Tiger Lake, Rocket Lake, Sapphire, Emerald and Granite Rapids. */
const INTEL_512 = new Set([85, 106, 108, 125, 126, 140, 141, 167, 143, 207, 173, 174]);

function arithmeticEvent(processor: Processor, width: "packed" | "scalar"): PerfEvent | string {
  const { vendor, family, model } = processor;
  if (vendor === "intel" && family === 6) {
    if (width === "scalar" && (INTEL_256.has(model) || INTEL_512.has(model))) return raw(0xc7, 0x03);
    if (INTEL_256.has(model)) return raw(0xc7, 0x3c);
    if (INTEL_512.has(model)) return raw(0xc7, 0xfc);
  }
  if (vendor === "amd" && isZen4OrLater(processor)) return raw(0x08, width === "packed" ? 0x38 : 0x04);
  return `how this processor counts ${width} floating-point arithmetic is not known here (${nameOf(processor)})`;
}

function fromZen3(processor: Processor, event: PerfEvent): PerfEvent | string {
  if (processor.family >= 25) return event;
  return `how this processor tells where its data came from is not known here (${nameOf(processor)})`;
}

/** Family 25 is Zen 3 and Zen 4, by model; from family 26 on Zen 5. */
function isZen4OrLater({ family, model }: Processor): boolean {
  if (family !== 25) return family > 25;
  return (
    (model >= 0x10 && model <= 0x1f) || (model >= 0x60 && model <= 0x7f) || (model >= 0xa0 && model <= 0xaf)
  );
}

function nameOf({ vendor, family, model }: Processor): string {
  return `${vendor}, family ${Number.isNaN(family) ? "untold" : family}, model ${Number.isNaN(model) ? "untold" : model}`;
}

function cacheEvent(cache: number, result: number): PerfEvent {
  return { type: PERF_TYPE.cache, config: cache | (result << 16) };
}

/** As x86 processors number what they count: the event's low byte, then the mask of what of it. */
function raw(event: number, mask: number): PerfEvent {
  return { type: PERF_TYPE.raw, config: (mask << 8) | event };
}
