/** A few seconds of a running appliance, as samples: what its threads were in. As `POST /api/v1/system/profile` answers. */
import type { Missing } from "./host-snapshot.ts";

/** A call frame of JavaScript, and who called it. */
export type ScriptNode = {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** place of the caller; -1 for the root */
  readonly parent: number;
};

/** JavaScript of one thread, by the runtime's own sampler: places in `nodes`, and when, ms since the epoch. */
export type ScriptSamples = {
  readonly nodes: readonly ScriptNode[];
  readonly samples: readonly number[];
  readonly times_ms: readonly number[];
};

/** A function of native code and the library it is in; both in brackets where only that is known. */
export type NativeFrame = { readonly name: string; readonly library: string };

/** Native stacks of all threads while they ran, by the kernel; frames from the innermost out. */
export type NativeSamples = {
  /** processor time between two samples of a thread */
  readonly period_ms: number;
  /** whether time in the kernel is in it */
  readonly has_kernel: boolean;
  readonly frames: readonly NativeFrame[];
  /** places in `frames` */
  readonly stacks: readonly (readonly number[])[];
  readonly threads: readonly {
    readonly name: string;
    readonly id: number;
    /** places in `stacks` */
    readonly samples: readonly number[];
    readonly times_ms: readonly number[];
    readonly lost: number;
  }[];
};

export type SpaceBusy = { readonly space: string; readonly operations: number; readonly busy_ms: number };

export type ProfileSlice = {
  readonly started_at_ms: number;
  readonly ended_at_ms: number;
  readonly script_interval_ms: number;
  readonly threads: readonly { readonly name: string; readonly script: ScriptSamples }[];
  readonly native: NativeSamples | null;
  /** of all API workers: time of operations as their callers saw it */
  readonly spaces: readonly SpaceBusy[];
  readonly missing: readonly Missing[];
};
