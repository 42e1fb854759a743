/**
 * What threads hand each other when the appliance starts and stops: the shared buffers and the messages.
 *
 * Main makes every buffer before it starts a thread, so that no thread ever waits for another's memory.
 *
 *   main ──boot──▶ thread ──{ready}──▶ main … main ──{drain | shutdown}──▶ thread ──{drained | stopped}──▶ main
 *   API worker ──{change-settings}──▶ main ──{settings}──▶ each thread ──{settings-applied}──▶ main ──{settings-answer}──▶
 *   API worker ──{take-profile}──▶ main ──{profile}──▶ each thread ──{profile-part}──▶ main ──{profile-answer}──▶
 */
import type { SettingChange } from "../config/live-settings.ts";
import type { Settings } from "../config/schema.ts";
import type { StreamCut } from "../engine/home-writer.ts";
import type { ProfileSlice, ScriptSamples, SpaceBusy } from "../observe/profile-slice.ts";
import type { MetricMemory } from "../observe/snapshot.ts";
import type { ThreadPlace } from "../runtime/placement.ts";
import type { EventMemory } from "../shm/event-writer.ts";
import type { LogFields, LogLevel } from "./log-sink.ts";

export type ThreadRole = "api" | "writer" | "indexer" | "collector" | "background";

/** Buffers all threads share. `[producer][writer]`: a producer is an API worker, or (the last) background. */
export type SharedBuffers = {
  readonly spaceTable: SharedArrayBuffer;
  readonly epochs: SharedArrayBuffer;
  /** one per writer */
  readonly streamFacts: readonly SharedArrayBuffer[];
  readonly processFacts: SharedArrayBuffer;
  readonly requestRings: readonly (readonly SharedArrayBuffer[])[];
  readonly replyRings: readonly (readonly SharedArrayBuffer[])[];
  readonly writerDoorbells: readonly SharedArrayBuffer[];
  readonly producerDoorbells: readonly SharedArrayBuffer[];
  readonly indexDoorbells: readonly SharedArrayBuffer[];
  /** runs of consolidation, asked for by API workers and done by the background thread */
  readonly consolidations: SharedArrayBuffer;
  /** where each thread records its metrics */
  readonly metrics: MetricMemory;
  /** where each thread tells of events */
  readonly events: EventMemory;
  /** spans of sampled requests, one ring for each API worker; none where they are exported to nobody */
  readonly spans: readonly SharedArrayBuffer[];
  /** what the history holds; its memory is the first collector's */
  readonly history: SharedArrayBuffer;
  /** the state of alerts, written by the first collector (`shm/text-board.ts`) */
  readonly alerts: SharedArrayBuffer;
};

export type Boot = {
  readonly type: "boot";
  readonly role: ThreadRole;
  /** among the threads of its role, from 0 */
  readonly ordinal: number;
  readonly place: ThreadPlace;
  /** whether threads and memory are bound to NUMA nodes, and why not */
  readonly placement: { readonly isPlaced: boolean; readonly reason: string | undefined };
  readonly settings: Settings;
  readonly dataDirectory: string;
  readonly shared: SharedBuffers;
  readonly apiWorkerCount: number;
  readonly writerCount: number;
  readonly indexerCount: number;
  /** the log streams of the data directory, by writer */
  readonly topology: { readonly generation: number; readonly streamCount: number };
  /** ms since the epoch when the process began to start */
  readonly startedAtMs: number;
  /** the port taken, once the first API worker has one */
  readonly port: number;
};

/** What main says to a thread that has booted. */
export type ToThread =
  | { readonly type: "start" }
  | { readonly type: "drain"; readonly drainMs: number }
  | { readonly type: "cut"; readonly writer: number; readonly cut: StreamCut }
  | { readonly type: "settings"; readonly version: number; readonly changes: readonly SettingChange[] }
  | { readonly type: "settings-answer"; readonly ticket: number; readonly error: ThreadError | undefined }
  /** the number of the profile under way; 0 where none is */
  | { readonly type: "profile"; readonly run: number }
  | { readonly type: "profile-answer"; readonly ticket: number; readonly answer: ProfileSlice | "busy" }
  | { readonly type: "shutdown" };

/** What a thread says to main. */
export type FromThread =
  | { readonly type: "ready"; readonly port?: number; readonly detail?: string }
  | { readonly type: "progress"; readonly text: string }
  | { readonly type: "cut"; readonly writer: number; readonly cut: StreamCut }
  | { readonly type: "drained" }
  | { readonly type: "change-settings"; readonly ticket: number; readonly changes: readonly SettingChange[] }
  | { readonly type: "settings-applied"; readonly version: number }
  | { readonly type: "take-profile"; readonly ticket: number; readonly seconds: number }
  | { readonly type: "profile-part"; readonly run: number; readonly script: ScriptSamples | string }
  | { readonly type: "profile-spaces"; readonly run: number; readonly spaces: readonly SpaceBusy[] }
  | { readonly type: "stopped" }
  | { readonly type: "log"; readonly level: LogLevel; readonly text: string; readonly fields?: LogFields }
  | { readonly type: "failed"; readonly error: ThreadError };

/** An error on its way between threads: structured clones lose the class. */
export type ThreadError = {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code?: string;
  readonly remedy?: string;
};
