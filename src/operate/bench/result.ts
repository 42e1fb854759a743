/**
 * What a run of `bench` found, as its file holds it: the machine, the appliance, the parameters, and the figures of
 * each workload's phases. The schema checks a file that a later run is held against.
 */
import { z } from "zod";

/** Grows when a field changes its meaning; files of another number are refused. */
export const RESULT_FORMAT = 1;

const quantile = z.strictObject({
  value: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
});

export const latencySchema = z.strictObject({
  p50: quantile,
  p90: quantile,
  p99: quantile,
  p999: quantile,
  count: z.int(),
  maxMs: z.number(),
});

export const phaseSchema = z.strictObject({
  name: z.string(),
  loop: z.enum(["closed", "open"]),
  connections: z.int(),
  seconds: z.number(),
  /** asked for, requests a second; open loops only */
  rate: z.number().nullable(),
  /** replies a second, mean of whole seconds */
  throughput: z.strictObject({ mean: z.number(), plusMinus: z.number().nullable() }),
  failures: z.int(),
  /** ms, over all requests and by class */
  latency: latencySchema.nullable(),
  classes: z.record(z.string(), latencySchema),
  /** the generator's own lateness at p99, ms; open loops only */
  sentLateMs: z.number().nullable(),
});

export const workloadSchema = z.strictObject({
  name: z.string(),
  phases: z.array(phaseSchema),
  /** of the appliance while the phases ran; null where its metrics did not say */
  facts: z.strictObject({
    cpuSecondsPerRequest: z.number().nullable(),
    flushP99Ms: z.number().nullable(),
    tailMax: z.number().nullable(),
    residentBytes: z.number().nullable(),
  }),
});

export const resultSchema = z.strictObject({
  format: z.literal(RESULT_FORMAT),
  madeAt: z.string(),
  generator: z.strictObject({
    version: z.string(),
    machine: z.string(),
    /** turns of the reference loop in a millisecond, on a core of the machine that sends */
    referencePerMs: z.number(),
    threads: z.int(),
  }),
  appliance: z.strictObject({ url: z.string(), version: z.string() }),
  parameters: z.strictObject({ seed: z.int(), concurrency: z.int(), durationSeconds: z.number() }),
  workloads: z.array(workloadSchema),
});

export type PhaseResult = z.output<typeof phaseSchema>;
export type WorkloadResult = z.output<typeof workloadSchema>;
export type BenchResult = z.output<typeof resultSchema>;
