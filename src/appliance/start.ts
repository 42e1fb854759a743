/**
 * Starts the appliance, supervises its threads and stops it.
 *
 *   lock the data directory ─▶ streams as many as home writers ─▶ writers recover, one API worker listens
 *   ─▶ serving ─▶ background, indexers, collectors and the other API workers join
 *
 *   stop: API workers drain ─▶ last checkpoint ─▶ writers end ─▶ the others end ─▶ the lock is let go
 *
 * A thread that fails ends the process with its error: what was acknowledged is in the log, and recovery is
 * the one way back to a state that can be trusted.
 */
import { OperatorError } from "../base/errors.ts";
import { urlHost } from "../base/url-host.ts";
import { VERSION } from "../base/version.ts";
import type { RunningAppliance, StartReports } from "../cli/serve-contract.ts";
import type { LoadedSettings } from "../config/load.ts";
import type { Settings } from "../config/schema.ts";
import { makeConsolidationBoard } from "../engine/consolidation/consolidation-board.ts";
import { SpaceTable } from "../engine/space-table.ts";
import { REPLY_RING_BYTES } from "../engine/write-client.ts";
import { PROCESS_FACT, PROCESS_FACTS_BYTES } from "../layout/process-facts.ts";
import { STREAM_FACTS_BYTES } from "../layout/stream-facts.ts";
import { ALERT_BOARD_BYTES } from "../observe/alerts/alert-view.ts";
import { HISTORY_SHAPE, makeHistoryState } from "../observe/history-layout.ts";
import { type NumaStrategy, planPlacement, readMachine, type ThreadPlace } from "../runtime/placement.ts";
import { makeDoorbells } from "../shm/doorbell.ts";
import { makeEpochs } from "../shm/epochs.ts";
import { makeRing } from "../shm/ring.ts";
import { makeTextBoard } from "../shm/text-board.ts";
import { DataDirectory } from "../storage/data-directory.ts";
import { NativeDisk } from "../storage/native-disk.ts";
import type { Boot, FromThread, SharedBuffers, ThreadError, ThreadRole, ToThread } from "./boot.ts";
import { epochReaderCount } from "./epoch-readers.ts";
import { announcedLog, layEventRings, laySpanRings, openMainEvents } from "./events.ts";
import { LiveSettings } from "./live-settings.ts";
import { type LogSink, openLogSink } from "./log-sink.ts";
import { layMetricLanes } from "./metric-lanes.ts";
import { ProfileDesk } from "./profile-desk.ts";
import { threadError } from "./thread.ts";
import { threadsAlive } from "./threads-alive.ts";
import { settleTopology } from "./topology.ts";

const KIB = 1024;
/** How long the threads that are not needed for the first answer may take to start. */
const JOIN_MS_MAX = 120_000;
/** Room for some 1,000 requests of 4 KB. */
const REQUEST_RING_BYTES_MIN = 4 * KIB * KIB;

/** A thread as main knows it. */
type Thread = {
  readonly role: ThreadRole;
  readonly ordinal: number;
  readonly worker: Worker;
  readonly ready: Promise<{ readonly port: number | undefined; readonly detail: string | undefined }>;
  readonly ended: Promise<void>;
};

/**
 * Starts a thread at `api-worker.ts` or `worker.ts`. Handed in by `main.ts`: a compiled executable finds them
 * only from there.
 */
export type OpenWorker = (role: ThreadRole) => Worker;

export async function startAppliance(
  loaded: LoadedSettings,
  reports: StartReports,
  openWorker: OpenWorker,
): Promise<RunningAppliance> {
  const startedAtMs = Date.now();
  // Live ones change in it.
  const settings = structuredClone(loaded.settings);
  const placement = planPlacement(readMachine(), {
    isEnabled: settings.numa.enabled,
    strategy: settings.numa.strategy as NumaStrategy,
    apiWorkerCount: settings.thread_pools.api_workers,
    indexerCount: settings.thread_pools.index_workers,
    backgroundCount: 1,
  });
  const counts = {
    apiWorkerCount: placement.apiWorkers.length,
    writerCount: placement.writers.length,
    indexerCount: placement.indexers.length,
  };
  const events = layEventRings(counts, placement.background.length);
  const mainEvents = openMainEvents(events);
  let log = announcedLog(openLogSink(settings.logging), mainEvents);
  const directory = new DataDirectory({
    disk: new NativeDisk(1),
    path: settings.data.dir,
    pid: process.pid,
    version: VERSION,
    nowMs: startedAtMs,
  });
  if (directory.openToOthers) {
    log("warn", `other users can look into ${directory.path}: chmod 700 ${directory.path}`);
  }
  log(
    "info",
    placement.isPlaced
      ? `placed on ${placement.writers.length} NUMA nodes`
      : `not placed on NUMA nodes: ${placement.reason}`,
  );
  await settleTopology({
    directory,
    writerCount: counts.writerCount,
    settings,
    progress: reports.progress,
    log,
  });

  const shared = {
    ...makeSharedBuffers(counts, settings),
    metrics: layMetricLanes(placement, settings.memory.lock),
    events,
    spans: laySpanRings(counts, settings),
  };
  const facts = new Float64Array(shared.processFacts);
  const failure = Promise.withResolvers<never>();
  // Somebody may wait for it only later.
  failure.promise.catch(() => undefined);
  const threads: Thread[] = [];
  let background: Thread | undefined;
  const tellAll = (message: ToThread): number => {
    // A home writer is busy for as long as it lives.
    const hearing = threads.filter(({ role }) => role !== "writer");
    for (const thread of hearing) tell(thread, message);
    return hearing.length;
  };
  const profile = new ProfileDesk({
    facts,
    tellAll,
    threadNames: () => threads.map(({ role, ordinal }) => `${role}-${ordinal}`),
  });
  const live = new LiveSettings({
    settings,
    facts,
    tellAll,
    changed: (changes) => {
      log = announcedLog(openLogSink(settings.logging), mainEvents);
      for (const { path, from, to } of changes) log("info", `${path} is ${to} now, and was ${from}`);
    },
  });

  const start = (role: ThreadRole, ordinal: number, place: ThreadPlace, port: number): Thread => {
    const boot: Boot = {
      type: "boot",
      role,
      ordinal,
      place,
      placement: { isPlaced: placement.isPlaced, reason: placement.reason },
      settings,
      dataDirectory: directory.path,
      shared,
      ...counts,
      topology: { generation: directory.topology.generation, streamCount: directory.topology.streams },
      startedAtMs,
      port,
    };
    const thread = startThread(boot, {
      openWorker,
      progress: reports.progress,
      log: (...said) => log(...said),
      live,
      profile,
      cut: (writer, cut) => tell(background!, { type: "cut", writer, cut }),
      failed: (error) => failure.reject(asError(error, `${role} ${ordinal}`)),
    });
    threads.push(thread);
    return thread;
  };
  const startAll = (role: ThreadRole, places: readonly ThreadPlace[], port = 0): Thread[] =>
    places.map((place, ordinal) => start(role, ordinal, place, port));
  const allReady = (started: readonly Thread[]) =>
    Promise.race([Promise.all(started.map((thread) => thread.ready)), failure.promise]);

  let port = settings.server.port;
  try {
    // What the first answer needs starts first, and has the cores to itself. The first API worker may be given
    // any free port; the others then share it.
    const [first, ...others] = placement.apiWorkers;
    const writers = startAll("writer", placement.writers);
    const firstApi = start("api", 0, first!, port);
    const [listening] = await allReady([firstApi]);
    port = listening!.port!;
    for (const { detail } of await allReady(writers)) if (detail !== undefined) log("info", detail);
    facts[PROCESS_FACT.ready] = 1;
    background = start("background", 0, placement.background[0]!, port);
    tell(background, { type: "start" });
    const joining = [
      background,
      ...startAll("indexer", placement.indexers),
      ...startAll("collector", placement.collectors, port),
      ...others.map((place, index) => start("api", index + 1, place, port)),
    ];
    // They are not waited for, but a thread that hangs while it starts must not go unnoticed.
    const late = setTimeout(() => failure.reject(startedLate()), JOIN_MS_MAX);
    Promise.all(joining.map((thread) => thread.ready)).then(() => clearTimeout(late));
  } catch (error) {
    for (const { worker } of threads) worker.terminate();
    directory.close();
    throw error;
  }

  const ended = Promise.withResolvers<void>();
  failure.promise.catch((error) => ended.reject(error));
  const url = `http://${urlHost(settings.server.host)}:${port}`;
  const table = new SpaceTable(shared.spaceTable);
  return {
    url,
    ended: ended.promise,
    alive: () => threadsAlive({ ...counts, shared }).silent.length === 0,
    status: () => statusText(table),
    reload: (wanted) => live.become(wanted),
    stop: async (drainMs) => {
      facts[PROCESS_FACT.stopping] = 1;
      const of = (role: ThreadRole): Thread[] => threads.filter((thread) => thread.role === role);
      const finish = (some: readonly Thread[], message: ToThread) => {
        for (const thread of some) tell(thread, message);
        return Promise.race([Promise.all(some.map((thread) => thread.ended)), failure.promise]);
      };
      await finish(of("api"), { type: "drain", drainMs });
      await finish([background!], { type: "shutdown" });
      await Promise.race([Promise.all(of("writer").map((thread) => thread.ended)), failure.promise]);
      await finish([...of("indexer"), ...of("collector")], { type: "shutdown" });
      directory.close();
      ended.resolve();
    },
  };
}

function makeSharedBuffers(
  counts: Pick<Boot, "apiWorkerCount" | "writerCount" | "indexerCount">,
  settings: Settings,
): Omit<SharedBuffers, "metrics" | "events" | "spans"> {
  const { apiWorkerCount, writerCount, indexerCount } = counts;
  const producerCount = apiWorkerCount + 1;
  const requestBytes = requestRingBytes(settings);
  const each = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  return {
    spaceTable: SpaceTable.allocate(settings.spaces.max),
    epochs: makeEpochs(epochReaderCount(counts)),
    streamFacts: each(writerCount, () => new SharedArrayBuffer(STREAM_FACTS_BYTES)),
    processFacts: new SharedArrayBuffer(PROCESS_FACTS_BYTES),
    history: makeHistoryState(HISTORY_SHAPE),
    consolidations: makeConsolidationBoard(),
    alerts: makeTextBoard(ALERT_BOARD_BYTES),
    requestRings: each(producerCount, () => each(writerCount, () => makeRing(requestBytes))),
    replyRings: each(producerCount, () => each(writerCount, () => makeRing(REPLY_RING_BYTES))),
    writerDoorbells: each(writerCount, () => makeDoorbells(1)),
    producerDoorbells: each(producerCount, () => makeDoorbells(1)),
    indexDoorbells: each(indexerCount, () => makeDoorbells(1)),
  };
}

/**
 * A message takes half a ring at most. The largest is a memory whose content is all short, different words: a
 * word of three bytes, space included, travels with a term of twelve.
 */
function requestRingBytes({ limits }: Settings): number {
  const largest = limits.content_kb * KIB * 5 + limits.metadata_kb * KIB + limits.tags_max * KIB + 128 * KIB;
  return Math.max(REQUEST_RING_BYTES_MIN, 2 ** Math.ceil(Math.log2(largest * 2)));
}

function startThread(
  boot: Boot,
  hears: {
    openWorker: OpenWorker;
    progress: (text: string) => void;
    log: LogSink;
    live: LiveSettings;
    profile: ProfileDesk;
    cut: (writer: number, cut: Extract<FromThread, { type: "cut" }>["cut"]) => void;
    failed: (error: ThreadError) => void;
  },
): Thread {
  const worker = hears.openWorker(boot.role);
  const ready = Promise.withResolvers<{ port: number | undefined; detail: string | undefined }>();
  const ended = Promise.withResolvers<void>();
  worker.onmessage = ({ data }: { data: FromThread }) => {
    switch (data.type) {
      case "ready":
        ready.resolve({ port: data.port, detail: data.detail });
        break;
      case "progress":
        hears.progress(data.text);
        break;
      case "cut":
        hears.cut(data.writer, data.cut);
        break;
      case "drained":
      case "stopped":
        ended.resolve();
        break;
      case "log":
        hears.log(data.level, data.text, { thread: `${boot.role}-${boot.ordinal}`, ...data.fields });
        break;
      case "settings-applied":
        hears.live.heard(data.version);
        break;
      case "change-settings": {
        const { ticket } = data;
        const answer = (error: ThreadError | undefined): void =>
          worker.postMessage({ type: "settings-answer", ticket, error } satisfies ToThread);
        hears.live.change(data.changes).then(
          () => answer(undefined),
          (error) => answer(threadError(error)),
        );
        break;
      }
      case "take-profile":
      case "profile-part":
      case "profile-spaces":
        hears.profile.hear(`${boot.role}-${boot.ordinal}`, data, (message) => worker.postMessage(message));
        break;
      case "failed":
        hears.failed(data.error);
        break;
    }
  };
  worker.onerror = (event) => {
    hears.failed({ name: "Error", message: event.message, stack: undefined });
  };
  worker.postMessage(boot);
  return { role: boot.role, ordinal: boot.ordinal, worker, ready: ready.promise, ended: ended.promise };
}

function tell(thread: Thread, message: ToThread): void {
  thread.worker.postMessage(message);
}

function startedLate(): OperatorError {
  return new OperatorError({
    code: "internal",
    message: `A thread of the appliance did not start within ${JOIN_MS_MAX / 1000} s`,
    remedy:
      "Start it again; if it comes back, look for what holds the processor (top -H) and report this message",
  });
}

/** An OperatorError again where it was one, so that the command's exit status and remedy are right. */
function asError(error: ThreadError, thread: string): Error {
  if (error.code !== undefined && error.remedy !== undefined) {
    return new OperatorError({
      code: error.code as "internal",
      message: error.message,
      remedy: error.remedy,
    });
  }
  return new OperatorError({
    code: "internal",
    message: `The thread "${thread}" broke a rule of the program and was stopped: ${error.message}\n${error.stack ?? ""}`,
    remedy: "Start it again: what was acknowledged is in the log. Report this message if it comes back",
  });
}

function statusText(table: SpaceTable): string {
  let memories = 0;
  let tail = 0;
  const open = table.open();
  for (const root of open) {
    memories += root.load("liveCount") - root.load("conceptCount");
    tail += Math.max(0, root.load("nodeCount") - root.load("indexedCount"));
  }
  return `serving ${memories} memories in ${open.length} spaces, ${tail} not in a graph yet`;
}
