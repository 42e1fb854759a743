/** The home writer's thread: recovers its stream, then serves requests until it is told to stop. */
import { engineSettings } from "../engine/engine-settings.ts";
import { HomeWriter, type ProducerLink } from "../engine/home-writer.ts";
import { SILENT_WRITER_METER, switchedMeter } from "../engine/meters.ts";
import { recoverStream } from "../engine/recovery.ts";
import { SpaceKeeper } from "../engine/space-keeper.ts";
import { SpaceTable } from "../engine/space-table.ts";
import { PROCESS_FACT } from "../layout/process-facts.ts";
import { STREAM_FACT, STREAM_STATE } from "../layout/stream-facts.ts";
import { writerMeter } from "../observe/meters.ts";
import { Doorbell } from "../shm/doorbell.ts";
import { Epochs } from "../shm/epochs.ts";
import { RingConsumer, RingProducer } from "../shm/ring.ts";
import { CheckpointStore } from "../storage/checkpoint-store.ts";
import { LocalLog } from "../storage/local-log.ts";
import { NativeDisk } from "../storage/native-disk.ts";
import type { Boot } from "./boot.ts";
import { openLane } from "./metric-lanes.ts";
import { streamPlace } from "./stream-place.ts";
import { aliveMarker, failThread, memoryPolicy, tellMain } from "./thread.ts";
import { ThreadProfile } from "./thread-profile.ts";

const MIB = 1024 * 1024;
const LOAD_THREADS = 4;

export async function startWriter(boot: Boot): Promise<() => void> {
  const { settings, shared, ordinal, writerCount } = boot;
  const startedAt = performance.now();
  const facts = new Float64Array(shared.streamFacts[ordinal]!);
  facts[STREAM_FACT.state] = STREAM_STATE.recovering;

  const disk = new NativeDisk(LOAD_THREADS);
  const place = streamPlace(boot.dataDirectory, boot.topology.generation, ordinal);
  const store = new CheckpointStore({
    disk,
    directory: place.checkpoint,
    topology: boot.topology.generation,
    stream: ordinal,
  });
  const log = LocalLog.open(
    {
      disk,
      directory: place.log,
      topology: boot.topology.generation,
      stream: ordinal,
      segmentBytes: settings.wal.segment_size_mb * MIB,
      bufferBytes: settings.wal.buffer_size_mb * MIB,
    },
    store.sequence,
  );
  if (log.tornTail !== undefined) {
    facts[STREAM_FACT.tornBytes] = log.tornTail.bytes;
    tellMain({ type: "log", level: "warn", text: tornTailText(log.tornTail) });
  }
  const keeper = new SpaceKeeper({
    table: new SpaceTable(shared.spaceTable),
    writerCount,
    space: {
      policy: memoryPolicy(boot),
      writer: ordinal,
      M: settings.index.M,
      efConstruction: settings.index.ef_construction,
    },
    epochs: new Epochs(shared.epochs),
  });
  const report = recoverStream({
    store,
    log,
    keeper,
    threads: LOAD_THREADS,
    progress: (text) => tellMain({ type: "progress", text }),
  });
  for (const name of report.graphsLost) {
    tellMain({
      type: "log",
      level: "warn",
      text: `the graph of space ${name} was damaged; it is built anew`,
    });
  }
  facts[STREAM_FACT.appendedSequence] = log.appendedSequence;
  facts[STREAM_FACT.changedSequence] = log.appendedSequence;
  facts[STREAM_FACT.writtenSequence] = log.writtenSequence;
  facts[STREAM_FACT.syncedSequence] = log.syncedSequence;
  facts[STREAM_FACT.checkpointSequence] = store.sequence;
  facts[STREAM_FACT.diskBytes] = log.diskBytes;
  facts[STREAM_FACT.replayedRecords] = report.replayedRecords;
  facts[STREAM_FACT.recoveryMs] = performance.now() - startedAt;

  const links: ProducerLink[] = shared.requestRings.map((rings, producer) => ({
    requests: new RingConsumer(rings[ordinal]!),
    replies: new RingProducer(shared.replyRings[producer]![ordinal]!),
    producerDoorbell: new Doorbell(shared.producerDoorbells[producer]!),
  }));
  const processFacts = new Float64Array(shared.processFacts);
  const profile = new ThreadProfile();
  let isWatched = settings.monitoring.enabled;
  const meter = switchedMeter(writerMeter(openLane(boot)), SILENT_WRITER_METER, isWatched);
  const alive = aliveMarker(boot);
  const writer = new HomeWriter({
    log,
    keeper,
    links,
    doorbell: new Doorbell(shared.writerDoorbells[ordinal]!),
    indexDoorbells: shared.indexDoorbells.map((bell) => new Doorbell(bell)),
    facts,
    // Main changes these two while the thread runs; it hears no messages then.
    get syncMode() {
      return processFacts[PROCESS_FACT.syncsInBatches] === 1 ? "batch" : "immediate";
    },
    get flushIntervalMs() {
      return processFacts[PROCESS_FACT.flushIntervalMs]!;
    },
    memoriesMax: settings.spaces.max_memories,
    forgetting: engineSettings(settings).forgetting,
    reconsolidation: engineSettings(settings).reconsolidation,
    groupBytesMax: settings.wal.buffer_size_mb * MIB,
    now: () => performance.now(),
    wallClock: () => Date.now(),
    alive: () => {
      alive();
      const isOn = processFacts[PROCESS_FACT.watched] === 1;
      if (isOn !== isWatched) meter.setOn(isOn);
      isWatched = isOn;
      profile.follow(processFacts[PROCESS_FACT.profileRun]!);
    },
    onCut: (cut) => tellMain({ type: "cut", writer: ordinal, cut }),
    meter: meter.meter,
  });
  tellMain({
    type: "ready",
    detail: `${report.loadedNodes} memories loaded, ${report.replayedRecords} log records replayed in ${Math.round(performance.now() - startedAt)} ms`,
  });
  // The loop blocks this thread for as long as the appliance serves: messages to it come through the rings.
  setTimeout(() => {
    try {
      writer.run();
      log.close();
      tellMain({ type: "stopped" });
    } catch (error) {
      facts[STREAM_FACT.state] = STREAM_STATE.failed;
      failThread(error);
    }
  }, 0);
  return () => undefined;
}

function tornTailText(tail: { readonly bytes: number; readonly keptAs: string | undefined }): string {
  return `the last ${tail.bytes} bytes of the log could not be read, as after a crash in the middle of a write; cut off${tail.keptAs === undefined ? "" : `, kept as ${tail.keptAs}`}`;
}
