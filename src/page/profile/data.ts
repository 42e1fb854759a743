/** What the command put into the page: the report, and the call stacks that it does not hold. As far as it is shown. */

export type Latency = {
  readonly count: number;
  readonly p50_s: number;
  readonly p90_s: number;
  readonly p99_s: number;
  readonly p999_s: number;
};

export type Part = {
  readonly part: string;
  readonly mapped_bytes: number;
  readonly resident_bytes: number;
  readonly transparent_bytes: number;
  readonly reserved_bytes: number;
  readonly pages_by_node: Readonly<Record<string, number>>;
  readonly pages_misplaced: number;
};

export type Measured = {
  readonly seconds: number;
  readonly operations: readonly {
    readonly operation: string;
    readonly per_s: number;
    readonly latency: Latency;
  }[];
  readonly stages: readonly {
    readonly operation: string;
    readonly stage: string;
    readonly share: number;
    readonly latency: Latency;
  }[];
  readonly flush: Latency | null;
  readonly threads: readonly {
    readonly name: string;
    readonly role: string;
    readonly running: number | null;
    readonly queued: number | null;
    readonly doorbell: number | null;
    readonly loop_delay_p99_s: number | null;
    readonly heap_bytes: number | null;
    readonly hardware: Readonly<Record<string, number>>;
  }[];
  readonly memory: { readonly resident_bytes: number | null; readonly parts: readonly Part[] };
  readonly nodes: readonly {
    readonly node: number;
    readonly cpus: number;
    readonly total_bytes: number;
    readonly free_bytes: number;
    readonly distances: readonly number[];
  }[];
  readonly disk: {
    readonly read_per_s: number | null;
    readonly written_per_s: number | null;
    readonly log_per_s: number;
    readonly checkpoint_per_s: number;
    readonly checkpoints: number;
    readonly checkpoint_s: number;
  };
  readonly spaces: readonly {
    readonly space: string;
    readonly operations: number;
    readonly busy_s: number;
  }[];
  readonly missing: readonly { readonly what: string; readonly reason: string; readonly remedy: string }[];
};

export type Finding = {
  readonly cause: string;
  readonly title: string;
  readonly weight: number;
  readonly basis: string;
  readonly evidence: string;
  readonly likely: string;
  readonly command: string;
};

export type Frame = { readonly name: string; readonly at: string; readonly kind: "script" | "native" };

export type Stacks = {
  readonly frames: readonly Frame[];
  readonly threads: readonly {
    readonly name: string;
    readonly measures: "core" | "script";
    readonly stacks: readonly { readonly frames: readonly number[]; readonly ms: number }[];
  }[];
};

export type PageData = {
  readonly report: {
    readonly made_at: string;
    readonly appliance: { readonly url: string; readonly version: string };
    readonly findings: readonly Finding[];
    readonly cost: {
      readonly cpu_without: number | null;
      readonly cpu_with: number | null;
      readonly samplers: number | null;
    };
    readonly measured: Measured;
  };
  readonly stacks: Stacks;
};
