/**
 * Samples that drive each alert rule through its life, for `promtool test rules` and for our own evaluator alike.
 *
 * Every rule has two stories, told in ticks of two minutes. In one its value is normal, beyond the threshold, between
 * the two thresholds and normal again: the alert fires, holds on, and ends. In the other it only comes between the
 * thresholds, and nothing fires.
 */
import { assert } from "../base/assert.ts";
import type { AlertRule } from "../observe/alerts/rule.ts";
import { ALERT_RULES } from "../observe/alerts/rules.ts";

/** `count` samples a tick apart: `start`, `start + step`, … */
export type Run = { readonly start: number; readonly step: number; readonly count: number };
export type SampleSeries = { readonly series: string; readonly runs: readonly Run[] };
export type Expectation = { readonly atTick: number; readonly fires: boolean };
export type AlertStory = {
  readonly rule: AlertRule;
  readonly title: string;
  /** labels of the one alert that is told of, beside its name and severity */
  readonly labels: Readonly<Record<string, string>>;
  readonly series: readonly SampleSeries[];
  readonly expectations: readonly Expectation[];
};

export const TICK_S = 120;

/** A time in which a rule's value is about the same. */
type Phase = { readonly value: number; readonly ticks: number };
type Maker = (phases: readonly Phase[]) => readonly SampleSeries[];
type Shape = {
  readonly title?: string;
  readonly beyond: number;
  readonly between: number;
  readonly normal: number;
  /** before anything happens */
  readonly leadTicks: number;
  readonly phaseTicks: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly make: Maker;
};

/** Long enough for a range of ten minutes, a wait of a quarter of an hour, and to end. */
const PHASE_TICKS = 20;
const LEAD_TICKS = 10;
/** The same for a range of an hour, with an hour before it. */
const HOUR_PHASE_TICKS = 60;
const HOUR_LEAD_TICKS = 35;
/** A little over the 25 hours that baselines look back. */
const BASELINE_TICKS = 760;
const GIB = 2 ** 30;
const GIGABYTE = 1e9;
const TERABYTE = 1e12;

const level = (series: string, phases: readonly Phase[], scale = 1): SampleSeries => ({
  series,
  runs: phases.map(({ value, ticks }) => ({ start: value * scale, step: 0, count: ticks })),
});

/** A counter that rises by so much a tick. */
const rise = (series: string, phases: readonly Phase[], perTick: (value: number) => number): SampleSeries => {
  let start = 0;
  const runs = phases.map(({ value, ticks }) => {
    const run = { start, step: perTick(value), count: ticks };
    start += run.step * ticks;
    return run;
  });
  return { series, runs };
};

/** A gauge whose value is that of the rule. */
const gauge =
  (series: string): Maker =>
  (phases) => [level(series, phases)];

/** 100 durations a tick whose P99 is `value` seconds, at most 10 ms: interpolated between the bounds 1 and 10 ms. */
const durations = (metric: string, labels: string, phases: readonly Phase[]): SampleSeries[] => {
  const below = (p99: number): number => {
    const part = (p99 - 0.001) / 0.009;
    assert(part > 0 && part < 0.99, "the P99 lies between the two bounds");
    return (0.99 - part) / (1 - part);
  };
  const bucket = (le: string) => `${metric}_bucket{${labels}${labels === "" ? "" : ", "}le="${le}"}`;
  return [
    rise(bucket("0.001"), phases, (p99) => 100 * below(p99)),
    rise(bucket("0.01"), phases, () => 100),
    rise(bucket("+Inf"), phases, () => 100),
    rise(`${metric}_count${labels === "" ? "" : `{${labels}}`}`, phases, () => 100),
  ];
};

const weight =
  (system: "fast" | "slow"): Maker =>
  (phases) => [
    rise(`engram_recall_memory_system_weight_sum{system="${system}"}`, phases, (value) => value),
    rise(`engram_recall_memory_system_weight_count{system="${system}"}`, phases, () => 1),
    level(
      'engram_concepts{space_class="small"}',
      phases.map(({ ticks }) => ({ value: 10, ticks })),
    ),
  ];

const hits =
  (found: string, asked: string): Maker =>
  (phases) => [rise(found, phases, (value) => 100 * value), rise(asked, phases, () => 100)];

const overAnHour = { leadTicks: HOUR_LEAD_TICKS, phaseTicks: HOUR_PHASE_TICKS } as const;
const usual = { leadTicks: LEAD_TICKS, phaseTicks: PHASE_TICKS } as const;
const share = { ...usual, beyond: 0.9, between: 0.68, normal: 0.5 } as const;
const hitRates = { ...usual, beyond: 0.4, between: 0.72, normal: 0.95 } as const;

const SHAPES: Readonly<Record<string, readonly Shape[]>> = {
  EngramConsolidationStalled: [
    {
      ...overAnHour,
      beyond: 0,
      between: 5,
      normal: 20,
      make: (phases) => [
        rise('engram_consolidation_promotions_total{phase="consolidating"}', phases, (value) => value / 30),
        level(
          'engram_memories_by_phase{phase="recent"}',
          phases.map(({ ticks }) => ({ value: 500, ticks })),
        ),
      ],
    },
  ],
  EngramFalseMemoryRateLow: [
    { ...usual, beyond: 0.1, between: 0.22, normal: 0.5, make: gauge("engram_false_memory_rate") },
  ],
  EngramFalseMemoryRateHigh: [
    { ...usual, beyond: 0.95, between: 0.78, normal: 0.5, make: gauge("engram_false_memory_rate") },
  ],
  EngramFastMemoryDominates: [{ ...share, make: weight("fast") }],
  EngramSlowMemoryDominates: [{ ...share, make: weight("slow") }],
  EngramCompletionBreakingDown: [
    {
      ...overAnHour,
      beyond: 0.2,
      between: 0.55,
      normal: 0.9,
      make: (phases) => [
        rise('engram_completion_plausibility_count{correct="yes"}', phases, (value) => value),
        rise('engram_completion_plausibility_count{correct="no"}', phases, (value) => 1 - value),
      ],
    },
  ],
  EngramLatencyOverBaseline: [
    {
      beyond: 1.35,
      between: 1.15,
      normal: 1,
      leadTicks: BASELINE_TICKS,
      phaseTicks: PHASE_TICKS,
      labels: { operation: "recall" },
      make: (phases) =>
        durations(
          "engram_memory_operation_duration_seconds",
          'operation="recall", outcome="ok", space_class="small"',
          phases.map(({ value, ticks }) => ({ value: value * 0.007, ticks })),
        ),
    },
  ],
  EngramThroughputUnderBaseline: [
    {
      beyond: 0.5,
      between: 0.87,
      normal: 1,
      leadTicks: BASELINE_TICKS,
      phaseTicks: PHASE_TICKS,
      make: (phases) => [
        rise(
          'engram_operations_total{operation="recall", outcome="ok", space_class="small"}',
          phases,
          (value) => 600 * value,
        ),
      ],
    },
  ],
  EngramCacheHitRateLow: [
    {
      ...hitRates,
      labels: { cache: "embedding" },
      make: hits(
        'engram_cache_hits_total{cache="embedding"}',
        'engram_cache_requests_total{cache="embedding"}',
      ),
    },
  ],
  EngramActivationCacheHitRateLow: [
    {
      ...hitRates,
      make: hits("engram_activation_cache_hits_total", "engram_activation_cache_requests_total"),
    },
  ],
  EngramMemoryOverTwiceData: [
    {
      ...usual,
      beyond: 2.5,
      between: 1.95,
      normal: 1.4,
      make: (phases) => [
        level('engram_memory_bytes{page="base", part="vectors"}', phases, GIB),
        level(
          "engram_data_bytes",
          phases.map(({ ticks }) => ({ value: GIB, ticks })),
        ),
      ],
    },
  ],
  EngramWalFlushSlow: [
    {
      ...usual,
      beyond: 0.008,
      between: 0.0045,
      normal: 0.002,
      make: (phases) => durations("engram_wal_flush_duration_seconds", "", phases),
    },
  ],
  EngramRemoteAccesses: [
    {
      ...usual,
      title: "as the processor counts loads",
      beyond: 0.3,
      between: 0.09,
      normal: 0.01,
      make: (phases) => [
        rise(
          'engram_hardware_events_total{event="remote_loads", thread="api-0"}',
          phases,
          (value) => 1000 * value,
        ),
        rise(
          'engram_hardware_events_total{event="llc_misses", thread="api-0"}',
          phases,
          (value) => 1000 * (1 + value),
        ),
      ],
    },
    {
      ...usual,
      title: "as the kernel counts pages",
      beyond: 0.3,
      between: 0.09,
      normal: 0.01,
      make: (phases) => [
        rise('engram_numa_pages_total{event="other_node", node="0"}', phases, (value) => 60_000 * value),
        rise('engram_numa_pages_total{event="local_node", node="0"}', phases, () => 60_000),
      ],
    },
  ],
  EngramDiskAlmostFull: [
    {
      ...usual,
      beyond: 0.05,
      between: 0.11,
      normal: 0.4,
      make: (phases) => [
        level('engram_disk_bytes{state="free"}', phases, TERABYTE),
        level(
          'engram_disk_bytes{state="used"}',
          phases.map(({ value, ticks }) => ({ value: 1 - value, ticks })),
          TERABYTE,
        ),
      ],
    },
  ],
  EngramDiskFilling: [
    { beyond: 0, between: 0, normal: 0, leadTicks: HOUR_LEAD_TICKS, phaseTicks: 240, make: filling },
  ],
  EngramWatchingCostly: [
    {
      ...usual,
      beyond: 0.006,
      between: 0.0028,
      normal: 0.001,
      make: gauge('engram_observe_recording_ratio{bound="median"}'),
    },
  ],
};

/** GB that are written a tick, and that are free at first: a day on at this pace is what the rule looks at. */
const FILLING = {
  whole: { free: 450, pace: [0, 0.7, 0.2678, 0] },
  between: { free: 175.6, pace: [0, 0.18] },
} as const;

/** A disk that fills. It looks back six hours, so its phases are eight. */
function filling(phases: readonly Phase[]): SampleSeries[] {
  const { free: freeAtFirst, pace } = phases.length === 4 ? FILLING.whole : FILLING.between;
  let free = freeAtFirst * GIGABYTE;
  const runs = phases.map(({ ticks }, index) => {
    const run = { start: free, step: -pace[index]! * GIGABYTE, count: ticks };
    free += run.step * ticks;
    return run;
  });
  return [
    { series: 'engram_disk_bytes{state="free"}', runs },
    {
      series: 'engram_disk_bytes{state="used"}',
      runs: runs.map(({ start, step, count }) => ({ start: TERABYTE - start, step: -step, count })),
    },
  ];
}

/** The stories of all rules. */
export function alertStories(): AlertStory[] {
  return ALERT_RULES.flatMap((rule) => {
    const shapes = SHAPES[rule.name];
    assert(shapes !== undefined, `${rule.name} has samples that drive it`);
    return shapes.flatMap((shape) => storiesOf(rule, shape));
  });
}

function storiesOf(rule: AlertRule, shape: Shape): AlertStory[] {
  const { beyond, between, normal, leadTicks, phaseTicks, make, labels = {} } = shape;
  const named = shape.title === undefined ? rule.name : `${rule.name}, ${shape.title}`;
  const lead = { value: normal, ticks: leadTicks };
  const endOf = (phase: number): number => leadTicks + phase * phaseTicks - 1;
  return [
    {
      rule,
      title: `${named}: fires beyond its threshold, holds on between the two, and ends`,
      labels,
      series: make([
        lead,
        { value: beyond, ticks: phaseTicks },
        { value: between, ticks: phaseTicks },
        { value: normal, ticks: phaseTicks },
      ]),
      expectations: [
        { atTick: leadTicks - 1, fires: false },
        { atTick: leadTicks, fires: false },
        { atTick: endOf(1), fires: true },
        { atTick: endOf(2), fires: true },
        { atTick: endOf(3), fires: false },
      ],
    },
    {
      rule,
      title: `${named}: does not fire between its thresholds`,
      labels,
      series: make([lead, { value: between, ticks: phaseTicks }]),
      expectations: [
        { atTick: leadTicks + Math.floor(phaseTicks / 2), fires: false },
        { atTick: endOf(1), fires: false },
      ],
    },
  ];
}
