/** What the routes of the API work with; made once in each API worker. */
import type { Clock } from "../base/clock.ts";
import type { SettingChange } from "../config/live-settings.ts";
import type { Settings } from "../config/schema.ts";
import type { ConceptDesk } from "../engine/consolidation/concept-desk.ts";
import type { Engine } from "../engine/engine.ts";
import type { ThoughtEngine } from "../engine/thought/thought-engine.ts";
import type { AlertView } from "../observe/alerts/alert-view.ts";
import type { Silences } from "../observe/alerts/silences.ts";
import type { EventFeed } from "../observe/event-feed.ts";
import type { Family } from "../observe/family.ts";
import type { MetricMetadata } from "../observe/history-source.ts";
import type { ApiMeter } from "../observe/meters.ts";
import type { ProfileSlice } from "../observe/profile-slice.ts";
import type { SeriesStore } from "../observe/promql/samples.ts";
import type { SlowWanted } from "../observe/slow-file.ts";
import type { SlowOperation } from "../observe/slow-operation.ts";
import type { SlowWatch } from "../observe/slow-watch.ts";
import type { Access } from "./access.ts";
import type { ErrorSink } from "./problem.ts";
import type { RequestWatch, RequestWatchParts } from "./request-watch.ts";
import type { ApiLimits } from "./settings.ts";
import type { StreamDesk } from "./stream-desk.ts";

/** Where the API's figures go, and where all metrics come from. */
export type Watch = Pick<RequestWatchParts, "contexts" | "spans" | "log"> & {
  readonly meter: ApiMeter;
  readonly snapshot: () => readonly Family[];
  readonly history: SeriesStore;
  /** what the metrics are, by name */
  readonly metadata: ReadonlyMap<string, MetricMetadata>;
  readonly clock: Clock;
  readonly slow: SlowTracer;
  /** what was slow, of all workers, newest first */
  readonly slowOperations: (wanted: SlowWanted) => SlowOperation[];
  readonly events: EventFeed;
  readonly alerts: AlertBoard;
};

/** What the API sees of the alerts, which another thread evaluates. */
export type AlertBoard = {
  /** undefined before the first evaluation */
  readonly view: () => AlertView | undefined;
  readonly silences: Pick<Silences, "all" | "holdingFor" | "add" | "end">;
  readonly isEnabled: boolean;
  readonly intervalS: number;
};

/** Follows the operations that a caller waits for (`observe/slow-watch.ts`). */
export type SlowTracer = Pick<SlowWatch, "begin" | "end" | "thresholdMs">;

/** The settings that run, and how they change. */
export type SettingsDesk = {
  readonly running: () => Settings;
  /** Resolves when every thread has what was checked. @throws {OperatorError} `settings-kept` */
  readonly change: (changes: readonly SettingChange[]) => Promise<void>;
};

/** Takes a few seconds of samples of all threads; "busy" where somebody else does. */
export type ProfileTaker = { readonly take: (seconds: number) => Promise<ProfileSlice | "busy"> };

export type ApiContext = {
  readonly profile: ProfileTaker;
  readonly settings: SettingsDesk;
  readonly engine: Engine;
  readonly concepts: ConceptDesk;
  readonly thought: ThoughtEngine;
  readonly limits: ApiLimits;
  readonly access: Access;
  readonly errors: ErrorSink;
  /** of the appliance, as `version` prints it */
  readonly version: string;
  readonly watch: Watch;
  readonly streams: StreamDesk;
  readonly requests: RequestWatch;
  /** true once the worker takes no new requests */
  draining: boolean;
};
