/**
 * The background thread: lets the mind work (`mind-loop.ts`), writes checkpoints when they are due, embeds what was
 * stored without an embedding, learns what the words of spaces mean, and at the end writes the last checkpoint and
 * stops the writers.
 */
import { systemClock } from "../base/clock.ts";
import { OperatorError } from "../base/errors.ts";
import { entropySeed, Random } from "../base/random.ts";
import { createEmbedder } from "../embedding/create-embedder.ts";
import { writeCheckpoint } from "../engine/checkpointer.ts";
import type { StreamCut } from "../engine/home-writer.ts";
import { LateEmbedder } from "../engine/late-embedder.ts";
import { SpaceTable } from "../engine/space-table.ts";
import { STREAM_FACT } from "../layout/stream-facts.ts";
import { WRITE_OP } from "../layout/write-message.ts";
import { counterSeries, durationSeries } from "../observe/series.ts";
import { startThreadSampler } from "../observe/thread-sampler.ts";
import { EpochReader } from "../shm/epochs.ts";
import { CheckpointStore } from "../storage/checkpoint-store.ts";
import { DiskError } from "../storage/disk.ts";
import { logWriteFailed } from "../storage/log-errors.ts";
import { prepareSpare } from "../storage/log-segment.ts";
import { NativeDisk } from "../storage/native-disk.ts";
import { startLearning } from "./background-learning.ts";
import type { Boot, ToThread } from "./boot.ts";
import { epochReaderIndex } from "./epoch-readers.ts";
import { openLane, openMeterClock } from "./metric-lanes.ts";
import { mindLoop } from "./mind-loop.ts";
import { openWriteClient } from "./producer-links.ts";
import { streamPlace } from "./stream-place.ts";
import { switchedSampler } from "./switched-sampler.ts";
import { aliveMarker, failThread, tellMain } from "./thread.ts";

const MIB = 1024 * 1024;
const TURN_MS = 250;
/** After a failure, so that a full disk is not tried again four times a second. */
const RETRY_MS = 10_000;
const CHECKPOINTS = {
  ok: durationSeries("engram_checkpoint_duration_seconds", { outcome: "ok" }),
  failed: durationSeries("engram_checkpoint_duration_seconds", { outcome: "failed" }),
};
const CHECKPOINT_BYTES = counterSeries("engram_checkpoint_written_bytes_total", {});
const DURABLE_WAIT_MS_MAX = 60_000;

export async function startBackground(boot: Boot): Promise<(message: ToThread) => void> {
  const { settings, shared, writerCount, apiWorkerCount } = boot;
  const table = new SpaceTable(shared.spaceTable);
  const epoch = new EpochReader(shared.epochs, epochReaderIndex(boot));
  const client = openWriteClient(boot, apiWorkerCount, 1000);
  const embedder = createEmbedder(settings.embedding, {
    clock: systemClock,
    random: new Random(entropySeed()),
  });
  const lateEmbedder = new LateEmbedder({ table, epoch, client, embedder, settings });
  const lane = openLane(boot);
  const mind = mindLoop(boot, { table, epoch, client, lane });
  const sampler = switchedSampler(boot, () => startThreadSampler(lane, openMeterClock()));
  const alive = aliveMarker(boot);
  const disk = new NativeDisk(1);
  const learn = startLearning(boot, { table, epoch, disk, lane });
  const segmentBytes = settings.wal.segment_size_mb * MIB;
  const streams = Array.from({ length: writerCount }, (_, writer) => openStream(boot, writer));
  const cutWaiters: ((cut: StreamCut) => void)[] = [];
  let stopping = false;

  const cutOf = async (writer: number): Promise<StreamCut> => {
    const { promise, resolve } = Promise.withResolvers<StreamCut>();
    cutWaiters[writer] = resolve;
    await client.request(writer, control(WRITE_OP.cut));
    return promise;
  };

  const checkpoint = async (writer: number): Promise<void> => {
    const stream = streams[writer]!;
    const { facts } = stream;
    const startedAt = performance.now();
    stream.tryAgainAtMs = startedAt + RETRY_MS;
    const bytesAtCut = facts[STREAM_FACT.appendedBytes]!;
    const graphsAtCut = graphsOf(table, writer);
    try {
      stream.store ??= openStore(boot, writer);
      const cut = await cutOf(writer);
      const bytes = writeCheckpoint({
        store: stream.store,
        table,
        epoch,
        cut,
        scratchDirectory: streamPlace(boot.dataDirectory, boot.topology.generation, writer).checkpoint,
        untilDurable: () => waitDurable(facts),
      });
      await client.request(writer, control(WRITE_OP.truncate, cut.sequence + 1));
      facts[STREAM_FACT.checkpointSequence] = cut.sequence;
      facts[STREAM_FACT.checkpointAtMs] = Date.now();
      facts[STREAM_FACT.checkpointMs] = performance.now() - startedAt;
      lane.record(CHECKPOINTS.ok, performance.now() - startedAt);
      lane.add(CHECKPOINT_BYTES, bytes);
      stream.bytesAtCheckpoint = bytesAtCut;
      stream.graphsAtCheckpoint = graphsAtCut;
      stream.tryAgainAtMs = 0;
      stream.checkpointedAt = performance.now();
      tellMain({
        type: "log",
        level: "info",
        text: `checkpoint of stream ${writer} up to record ${cut.sequence}: ${(bytes / MIB).toFixed(1)} MiB in ${(performance.now() - startedAt).toFixed(0)} ms`,
      });
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      lane.record(CHECKPOINTS.failed, performance.now() - startedAt);
      facts[STREAM_FACT.checkpointFailures] = facts[STREAM_FACT.checkpointFailures]! + 1;
      // A store that no longer knows which manifest counts is opened anew next time.
      stream.store = undefined;
      tellMain({
        type: "log",
        level: "error",
        text: `checkpoint of stream ${writer} failed: ${error.message} (${error.code}; ${error.remedy})`,
      });
    }
  };

  /** Whether a checkpoint would hold more than the last one: records, or graphs that grew or were built anew. */
  const hasChanged = (writer: number): boolean => {
    const { facts, graphsAtCheckpoint } = streams[writer]!;
    if (isDirty(facts)) return true;
    const { indexed, generation } = graphsOf(table, writer);
    return indexed !== graphsAtCheckpoint.indexed || generation !== graphsAtCheckpoint.generation;
  };

  /** Zeroing a segment takes tens of milliseconds: better here than in the writer. @returns false without room */
  const makeSpare = (writer: number): boolean => {
    const directory = streamPlace(boot.dataDirectory, boot.topology.generation, writer).log;
    try {
      return prepareSpare(disk, directory, segmentBytes);
    } catch (error) {
      throw error instanceof DiskError ? logWriteFailed(directory, error) : error;
    }
  };

  const turn = async (): Promise<void> => {
    alive();
    const now = performance.now();
    for (let writer = 0; writer < writerCount; writer++) {
      const stream = streams[writer]!;
      if (now >= stream.trySpareAtMs && !makeSpare(writer)) stream.trySpareAtMs = now + RETRY_MS;
      if (now < stream.tryAgainAtMs) continue;
      const grown = stream.facts[STREAM_FACT.appendedBytes]! - stream.bytesAtCheckpoint;
      const due = now - stream.checkpointedAt >= settings.checkpoint.interval_s * 1000;
      if (due ? hasChanged(writer) : grown >= settings.checkpoint.log_mb * MIB) await checkpoint(writer);
    }
    await lateEmbedder.turn();
    learn();
  };

  const loop = async (): Promise<void> => {
    const thinking = mind.run();
    while (!stopping) {
      await turn();
      await Bun.sleep(TURN_MS);
    }
    mind.stop();
    await thinking;
    for (let writer = 0; writer < writerCount; writer++) {
      if (hasChanged(writer)) await checkpoint(writer);
      await client.request(writer, control(WRITE_OP.stop));
    }
    embedder.close();
    tellMain({ type: "stopped" });
  };
  let isRunning = false;
  const run = (): void => {
    if (isRunning) return;
    isRunning = true;
    // The writers have recovered: what is in the graphs now came from the checkpoint, but for a few batches.
    for (const [writer, stream] of streams.entries()) stream.graphsAtCheckpoint = graphsOf(table, writer);
    loop().catch(failThread);
  };
  tellMain({ type: "ready" });
  return (message) => {
    if (message.type === "start") run();
    else if (message.type === "settings") sampler.followSettings();
    else if (message.type === "cut") cutWaiters[message.writer]?.(message.cut);
    else if (message.type === "shutdown") {
      stopping = true;
      run();
    }
  };
}

/** Vectors in all graphs of a stream, and how often graphs were swapped: no log record speaks of either. */
type Graphs = { readonly indexed: number; readonly generation: number };

type Stream = {
  readonly facts: Float64Array;
  store: CheckpointStore | undefined;
  bytesAtCheckpoint: number;
  graphsAtCheckpoint: Graphs;
  checkpointedAt: number;
  tryAgainAtMs: number;
  /** when a spare segment is tried again, after there was no room for one */
  trySpareAtMs: number;
};

function openStream(boot: Boot, writer: number): Stream {
  return {
    facts: new Float64Array(boot.shared.streamFacts[writer]!),
    store: undefined,
    bytesAtCheckpoint: 0,
    graphsAtCheckpoint: { indexed: 0, generation: 0 },
    checkpointedAt: performance.now(),
    tryAgainAtMs: 0,
    trySpareAtMs: 0,
  };
}

/** Opened late: until a writer has recovered, the store is its to read. */
function openStore(boot: Boot, writer: number): CheckpointStore {
  const { generation } = boot.topology;
  return new CheckpointStore({
    disk: new NativeDisk(1),
    directory: streamPlace(boot.dataDirectory, generation, writer).checkpoint,
    topology: generation,
    stream: writer,
  });
}

function graphsOf(table: SpaceTable, writer: number): Graphs {
  let indexed = 0;
  let generation = 0;
  for (const root of table.roots) {
    if (!root.isOpen || root.load("writer") !== writer) continue;
    indexed += root.load("indexedCount");
    generation += root.load("graphGeneration");
  }
  return { indexed, generation };
}

/** Uses alone wait for the log to have grown, or for a change. */
function isDirty(facts: Float64Array): boolean {
  return facts[STREAM_FACT.changedSequence]! > facts[STREAM_FACT.checkpointSequence]!;
}

/** Blocks until the log is durable up to everything appended by now. */
function waitDurable(facts: Float64Array): void {
  const target = facts[STREAM_FACT.appendedSequence]!;
  const deadline = performance.now() + DURABLE_WAIT_MS_MAX;
  while (facts[STREAM_FACT.syncedSequence]! < target) {
    if (performance.now() > deadline) {
      throw new OperatorError({
        code: "checkpoint-failed",
        message: `The log was not durable up to record ${target} within ${DURABLE_WAIT_MS_MAX / 1000} s`,
        remedy: "Look at the disk: a sync hangs or is very slow (dmesg, iostat)",
      });
    }
    Bun.sleepSync(1);
  }
}

function control(op: number, argument?: number) {
  const payload = new Uint8Array(argument === undefined ? 0 : 8);
  if (argument !== undefined) new DataView(payload.buffer).setFloat64(0, argument, true);
  return { op, spaceIndex: 0, spaceGeneration: 0, ack: "memory", ifExists: "error", payload } as const;
}
