/** report.json: everything a profile found, as a later `profile --diff` reads it. */
import { z } from "zod";
import type { Finding } from "./finding.ts";
import type { Measured } from "./measured.ts";

/** Grows when a field changes its meaning; files of another number are refused. */
export const REPORT_FORMAT = 1;

/** What profiling cost the appliance: processor time with and without samples, in the same run. */
export type ProfileCost = {
  /** of one core, without and with samples */
  readonly cpu_without: number | null;
  readonly cpu_with: number | null;
  /** µs of processor time for one operation; null where too few were asked for to say */
  readonly cpu_us_per_operation_without: number | null;
  readonly cpu_us_per_operation_with: number | null;
  /** of one core, in the threads that take samples */
  readonly samplers: number | null;
};

export type Report = {
  readonly format: typeof REPORT_FORMAT;
  readonly made_at: string;
  readonly program: string;
  readonly appliance: { readonly url: string; readonly version: string };
  readonly findings: readonly Finding[];
  readonly cost: ProfileCost;
  readonly measured: Measured;
};

const latency = z.looseObject({
  count: z.number(),
  mean_s: z.number(),
  p50_s: z.number(),
  p99_s: z.number(),
});

/** The parts that two reports are compared by. */
export const comparedSchema = z.looseObject({
  format: z.literal(REPORT_FORMAT),
  made_at: z.string(),
  findings: z.array(z.looseObject({ cause: z.string(), title: z.string(), weight: z.number() })),
  measured: z.looseObject({
    seconds: z.number(),
    operations: z.array(z.looseObject({ operation: z.string(), per_s: z.number(), latency })),
    stages: z.array(z.looseObject({ operation: z.string(), stage: z.string(), share: z.number(), latency })),
    flush: latency.nullable(),
    recall: z.looseObject({ graph_distances: z.number(), scan_distances: z.number() }),
    tail: z.looseObject({ longest: z.number() }),
    threads: z.array(
      z.looseObject({
        name: z.string(),
        role: z.string(),
        running: z.number().nullable(),
        queued: z.number().nullable(),
      }),
    ),
    memory: z.looseObject({
      resident_bytes: z.number().nullable(),
      transparent_bytes: z.number().nullable(),
    }),
    settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullable(),
  }),
});
export type Compared = z.output<typeof comparedSchema>;
