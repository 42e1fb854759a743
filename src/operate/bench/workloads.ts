/**
 * The stored workloads of `engram-appliance bench`: what is in the spaces beforehand, what is asked, and how.
 *
 *   closed   each connection sends its next request when the reply to the last one is in: how much is possible
 *   open     requests are due at random moments (Poisson) of a given rate, a part of what was possible; a late one
 *            counts from when it was due, so waiting for a slow server is latency (no coordinated omission)
 *
 * A workload and a seed name the same texts and the same moments on every machine.
 */

export const WORKLOAD_NAMES = ["store", "recall", "mixed", "multi-tenant", "burst", "scale"] as const;
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];

/** What a request does, and for whom: latencies are kept apart by it. */
export const REQUEST_CLASSES = ["store", "recall", "quiet", "noisy"] as const;
export type RequestClass = (typeof REQUEST_CLASSES)[number];

export type Mix = {
  /** of the requests; the others store */
  readonly recallShare: number;
  /** the tenants it works on; the first of them is the noisy one where there is one */
  readonly tenants: "all" | "quiet" | "noisy";
  /** memories a recall asks for (default: 10) */
  readonly limit?: number;
  /** different requests, sent round and round (default: 4,096) */
  readonly distinct?: number;
};

export type Phase = {
  readonly name: string;
  readonly mix: Mix;
  /** of the workload's time */
  readonly share: number;
} & (
  | {
      readonly loop: "closed";
      /** of the connections; at least one is used */
      readonly connectionShare: number;
      /** the phase whose throughput the open ones refer to */
      readonly isReference?: boolean;
    }
  | {
      readonly loop: "open";
      /** of the reference phase's throughput */
      readonly rateShare: number;
      /** each period begins with a burst */
      readonly burst?: {
        readonly periodMs: number;
        readonly burstMs: number;
        readonly rateShare: number;
      };
    }
);

export type Workload = {
  readonly name: WorkloadName;
  readonly about: string;
  readonly spaces: number;
  /** memories stored in each space beforehand */
  readonly memoriesEach: number;
  readonly phases: readonly Phase[];
};

const STORE: Mix = { recallShare: 0, tenants: "all" };
const RECALL: Mix = { recallShare: 1, tenants: "all" };
const MIXED: Mix = { recallShare: 0.7, tenants: "all" };

/** Shares of load at which latencies are taken: 60 % is busy and leaves room to catch up. */
const BUSY = 0.6;

export const WORKLOADS: Readonly<Record<WorkloadName, Workload>> = {
  store: {
    name: "store",
    about: "memories stored one by one, each answered when it is on the disk",
    spaces: 1,
    memoriesEach: 0,
    phases: throughputThenLatency(STORE),
  },
  recall: {
    name: "recall",
    about: "questions of 3 to 8 words over 10,000 memories",
    spaces: 1,
    memoriesEach: 10_000,
    phases: throughputThenLatency(RECALL),
  },
  mixed: {
    name: "mixed",
    about: "70 % recalls and 30 % stores over 10,000 memories",
    spaces: 1,
    memoriesEach: 10_000,
    phases: throughputThenLatency(MIXED),
  },
  "multi-tenant": {
    name: "multi-tenant",
    about: "15 quiet spaces, alone and then beside one that takes four times as much as all of them",
    spaces: 16,
    memoriesEach: 500,
    phases: [
      { name: "throughput", loop: "closed", connectionShare: 1, mix: MIXED, share: 0.3, isReference: true },
      {
        name: "quiet alone",
        loop: "open",
        rateShare: 0.12,
        mix: { ...MIXED, tenants: "quiet" },
        share: 0.35,
      },
      {
        name: "beside a noisy one",
        loop: "open",
        rateShare: BUSY,
        mix: { ...MIXED, tenants: "noisy" },
        share: 0.35,
      },
    ],
  },
  burst: {
    name: "burst",
    about: "a fifth of what is possible, and for one second in five all of it",
    spaces: 1,
    memoriesEach: 5000,
    phases: [
      { name: "throughput", loop: "closed", connectionShare: 1, mix: MIXED, share: 0.3, isReference: true },
      {
        name: "bursts",
        loop: "open",
        rateShare: 0.2,
        burst: { periodMs: 5000, burstMs: 1000, rateShare: 1 },
        mix: MIXED,
        share: 0.7,
      },
    ],
  },
  scale: {
    name: "scale",
    about: "recalls with one connection, a quarter, half and all of them",
    spaces: 1,
    memoriesEach: 5000,
    phases: [
      { name: "one connection", loop: "closed", connectionShare: 0, mix: RECALL, share: 0.25 },
      { name: "a quarter", loop: "closed", connectionShare: 0.25, mix: RECALL, share: 0.25 },
      { name: "half", loop: "closed", connectionShare: 0.5, mix: RECALL, share: 0.25 },
      { name: "all", loop: "closed", connectionShare: 1, mix: RECALL, share: 0.25, isReference: true },
    ],
  },
};

/** How much is possible, then how long it takes at a part of that. */
export function throughputThenLatency(mix: Mix): readonly Phase[] {
  return [
    { name: "throughput", loop: "closed", connectionShare: 1, mix, share: 0.4, isReference: true },
    { name: "latency", loop: "open", rateShare: BUSY, mix, share: 0.6 },
  ];
}
