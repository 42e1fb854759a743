/** What a profile measured, as it stands in report.json: plain numbers, from which everything else is decided. */
import type { HostNode, HostPart, Missing } from "../../observe/host-snapshot.ts";
import type { SlowReport } from "../slow-report.ts";
import type { Latency } from "./metric-delta.ts";

export type { Missing } from "../../observe/host-snapshot.ts";

export type OperationFigures = {
  readonly operation: string;
  readonly per_s: number;
  readonly latency: Latency;
};

export type StageFigures = {
  readonly operation: string;
  readonly stage: string;
  /** of the time that all operations took */
  readonly share: number;
  readonly latency: Latency;
};

export type ThreadFigures = {
  readonly name: string;
  /** "api", "writer", …; "runtime" for the threads that the program did not start itself */
  readonly role: string;
  /** shares of the time profiled; null where the kernel did not say */
  readonly running: number | null;
  readonly queued: number | null;
  readonly state: string | null;
  readonly switches_per_s: { readonly voluntary: number; readonly involuntary: number } | null;
  /** share of its JavaScript samples in which it slept on a doorbell; null where it was not sampled */
  readonly doorbell: number | null;
  /** how late timers of it ran */
  readonly loop_delay_p99_s: number | null;
  readonly heap_bytes: number | null;
  readonly collections_per_s: number | null;
  /** events of the processor, while it ran; absent where they can not be counted */
  readonly hardware: Readonly<Record<string, number>>;
};

export type SpaceFigures = {
  readonly space: string;
  readonly operations: number;
  /** time its operations took, as their callers saw it */
  readonly busy_s: number;
};

/** A function, and the share of a thread's samples in which it ran itself. */
export type HotFunction = {
  readonly thread: string;
  readonly name: string;
  readonly file: string;
  /** of the time the thread was seen running */
  readonly self: number;
  /** whether samples of native code say that it was in the function itself, and not in what it called */
  readonly is_certain: boolean;
};

export type Measured = {
  readonly seconds: number;
  readonly cores: number | null;
  readonly operations: readonly OperationFigures[];
  readonly stages: readonly StageFigures[];
  readonly flush: Latency | null;
  readonly recall: {
    readonly count: number;
    /** distances computed for one recall, on average */
    readonly graph_distances: number;
    readonly scan_distances: number;
  };
  /** settings that explain figures; null where the key may not read them */
  readonly settings: Readonly<Record<string, string | number | boolean>> | null;
  readonly embedding_cache: {
    readonly requests: number;
    readonly hits: number;
    readonly bytes: number;
  };
  readonly tail: { readonly longest: number; readonly capacity: number };
  readonly threads: readonly ThreadFigures[];
  readonly memory: {
    readonly resident_bytes: number | null;
    readonly swapped_bytes: number | null;
    readonly transparent_bytes: number | null;
    readonly hugetlb_bytes: number | null;
    readonly parts: readonly HostPart[];
  };
  readonly nodes: readonly HostNode[];
  /** pages allocated on a node for a thread of another one, by all processes, a second */
  readonly numa_other_node_per_s: number | null;
  readonly disk: {
    readonly read_per_s: number | null;
    /**
     * what the kernel charges the process with: pages of files made dirty, a large folio whole for each byte in it.
     * On a kernel with large folios that was ten times what reached the disk
     */
    readonly written_per_s: number | null;
    /** the log, as it was appended */
    readonly log_per_s: number;
    /** checkpoints, as their files were written */
    readonly checkpoint_per_s: number;
    readonly checkpoints: number;
    readonly checkpoint_s: number;
  };
  /** share of the time in which some task of the machine waited (PSI) */
  readonly pressure: {
    readonly cpu: number | null;
    readonly io: number | null;
    readonly memory: number | null;
  };
  readonly spaces: readonly SpaceFigures[];
  readonly hot_functions: readonly HotFunction[];
  /** slow operations of this time, grouped by cause */
  readonly slow: Pick<SlowReport, "count" | "took_ms" | "groups"> | null;
  readonly missing: readonly Missing[];
};

/** Seconds that all operations took. */
export function operationSeconds({ operations }: Pick<Measured, "operations">): number {
  return operations.reduce((sum, { latency }) => sum + latency.total_s, 0);
}

/** The share of all operations' time that a stage took, over the operations that have it. */
export function stageShare({ stages }: Pick<Measured, "stages">, stage: string): number {
  return stages.reduce((sum, each) => (each.stage === stage ? sum + each.share : sum), 0);
}
