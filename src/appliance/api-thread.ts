/** An API worker's thread: an engine of its own over the shared memory, and a server on the shared port. */
import { Access } from "../api/access.ts";
import { createApi } from "../api/create-api.ts";
import { KeyRing } from "../api/key-ring.ts";
import { isLoopback } from "../api/local-guard.ts";
import type { ErrorSink } from "../api/problem.ts";
import { servePrometheusPort } from "../api/prometheus-port.ts";
import { apiSettings, checkListening, serveApi } from "../api/serve.ts";
import { systemClock } from "../base/clock.ts";
import { BugError } from "../base/errors.ts";
import { entropySeed, Random } from "../base/random.ts";
import { VERSION } from "../base/version.ts";
import { createEmbedder } from "../embedding/create-embedder.ts";
import { AnnouncedEngine } from "../engine/announced-engine.ts";
import { SharedConceptDesk } from "../engine/consolidation/concept-desk.ts";
import { ConsolidationBoard } from "../engine/consolidation/consolidation-board.ts";
import type { Engine } from "../engine/engine.ts";
import { engineSettings } from "../engine/engine-settings.ts";
import { MemoryEngine } from "../engine/memory-engine.ts";
import { SpaceTable } from "../engine/space-table.ts";
import { Thinker } from "../engine/thought/thinker.ts";
import type { ThoughtEngine } from "../engine/thought/thought-engine.ts";
import { PROCESS_FACT, RECALL_COUNT_AT, RECALL_COUNT_STRIDE } from "../layout/process-facts.ts";
import { EpochReader } from "../shm/epochs.ts";
import type { Boot, ToThread } from "./boot.ts";
import { Canary } from "./canary.ts";
import { epochReaderIndex } from "./epoch-readers.ts";
import { openEvents } from "./events.ts";
import { openHealth } from "./health.ts";
import { openLane } from "./metric-lanes.ts";
import { openWriteClient } from "./producer-links.ts";
import { openProfileRequests } from "./profile-requests.ts";
import { openSettingsDesk } from "./settings-desk.ts";
import { aliveMarker, failThread, tellMain } from "./thread.ts";
import { openWatch } from "./watch.ts";

/** Writes of one worker that may wait for room in the rings. */
const QUEUE_MAX = 10_000;
const ALIVE_MS = 500;

export async function startApi(boot: Boot): Promise<(message: ToThread) => void> {
  const { settings, shared, ordinal } = boot;
  const process = new Float64Array(shared.processFacts);
  const recallCount = RECALL_COUNT_AT + ordinal * RECALL_COUNT_STRIDE;
  const embedder = createEmbedder(settings.embedding, {
    clock: systemClock,
    random: new Random(entropySeed()),
  });
  const table = new SpaceTable(shared.spaceTable);
  const epoch = new EpochReader(shared.epochs, epochReaderIndex(boot));
  const client = openWriteClient(boot, ordinal, QUEUE_MAX);
  const watch = openWatch(boot, table, embedder);
  const readiness = () => ({
    ready: process[PROCESS_FACT.ready] === 1,
    stopping: process[PROCESS_FACT.stopping] === 1,
  });
  const engineSet = engineSettings(settings);
  const memoryEngine = new MemoryEngine({
    table,
    client,
    epoch,
    settings: engineSet,
    embedder,
    writerCount: boot.writerCount,
    wallClock: () => Date.now(),
    now: watch.engineMeter.nowMs,
    meter: watch.engineMeter,
    readiness,
    onRecall: () => {
      process[recallCount]! += 1;
    },
    health: openHealth(boot, embedder),
  });

  const engine = new AnnouncedEngine(memoryEngine, watch.engineMeter, table, {
    events: openEvents(boot),
    slow: watch.slow,
  });

  const concepts = new SharedConceptDesk({
    table,
    epoch,
    board: new ConsolidationBoard(shared.consolidations),
    bm25: engineSettings(settings).bm25,
    readiness,
    wallClock: () => Date.now(),
  });
  const thought = new Thinker({
    engine,
    probe: (space, probe) => memoryEngine.thoughts.probe(space, probe),
    spread: (space, ids, options) => memoryEngine.thoughts.spread(space, ids, options),
    measured: (operation, space, act) => engine.measured(operation, space, act),
    now: watch.engineMeter.nowMs,
  });

  const clock = systemClock;
  const errors: ErrorSink = {
    operator: (error, where, fields) =>
      tellMain({
        type: "log",
        level: "error",
        text: `${where}: ${error.message} (${error.code}; ${error.remedy})`,
        ...(fields === undefined ? {} : { fields }),
      }),
    bug: (error, where, fields) => {
      tellMain({
        type: "log",
        level: "error",
        text: `${where}: ${error instanceof Error ? error.stack : String(error)}`,
        ...(fields === undefined ? {} : { fields }),
      });
      // What shared memory is trusted for no longer holds: recovery from the log is the way back.
      if (error instanceof BugError) failThread(error);
    },
  };
  const servingSet = () =>
    apiSettings({ ...settings, server: { ...settings.server, port: boot.port } }, boot.apiWorkerCount);
  const serving = servingSet();
  const ring = new KeyRing(boot.dataDirectory, clock, errors);
  watch.sampleEachSecond({ client, ring });
  checkListening(serving.host, serving.access, ring.hasKeys);
  const access = new Access({
    ring,
    settings: serving.access,
    clock,
    sleep: (ms) => Bun.sleep(ms),
    loopbackOnly: isLoopback(serving.host),
  });
  const desk = openSettingsDesk(boot);
  const profile = openProfileRequests(watch.slow);
  const { limits } = serving;
  const api = createApi({
    engine,
    concepts,
    thought,
    limits,
    access,
    errors,
    version: VERSION,
    watch,
    settings: desk,
    profile,
  });
  const server = serveApi({ api, settings: serving, reusePort: true });
  const prometheusPort = settings.monitoring.prometheus_port;
  const prometheus =
    prometheusPort === 0
      ? undefined
      : servePrometheusPort({ api, ...serving, port: prometheusPort, reusePort: true });

  const alive = aliveMarker(boot);
  alive();
  setInterval(alive, ALIVE_MS);
  tellMain({ type: "ready", port: server.port });
  memoryEngine.warmUp();
  const stopCanary = ordinal === 0 ? startCanary(boot, { engine, thought, memoryEngine }) : () => undefined;
  /** What the parts were handed is made from the settings, and read where it is used: it changes in place. */
  const followSettings = (): void => {
    const next = servingSet();
    Object.assign(engineSet, engineSettings(settings));
    Object.assign(limits, next.limits);
    Object.assign(serving.access, next.access);
    Object.assign(serving, { inFlightMax: next.inFlightMax });
    watch.followSettings();
  };
  return (message) => {
    if (message.type === "settings") followSettings();
    if (message.type === "settings-answer") desk.hear(message);
    if (message.type === "profile" || message.type === "profile-answer") profile.hear(message);
    if (message.type !== "drain") return;
    stopCanary();
    server.stop(message.drainMs).then(async (outcome) => {
      await prometheus?.stop();
      memoryEngine.close();
      if (outcome === "cut") {
        tellMain({
          type: "log",
          level: "warn",
          text: `API worker ${ordinal}: requests were still under way when the drain timeout ended`,
        });
      }
      tellMain({ type: "drained" });
    });
  };
}

/** @returns what ends it */
function startCanary(
  boot: Boot,
  of: { readonly engine: Engine; readonly thought: ThoughtEngine; readonly memoryEngine: MemoryEngine },
): () => void {
  const seconds = boot.settings.monitoring.canary_interval_s;
  if (seconds === 0) return () => undefined;
  const canary = new Canary({
    engine: of.engine,
    thought: of.thought,
    falseMemory: (space, seed) => of.memoryEngine.thoughts.falseMemory(space, seed),
    lane: openLane(boot),
    random: new Random(entropySeed()),
    failed: failThread,
  });
  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    canary.turn().finally(() => {
      isRunning = false;
    });
  }, seconds * 1000);
  return () => clearInterval(timer);
}
