/**
 * Gives spaces new homes when the number of home writers has changed since the last start: every old stream is
 * recovered as it stands, and written down as the first checkpoint of the stream it belongs to now.
 *
 * Nothing of the old streams is changed. Until the new topology is committed a crash leaves them in force.
 */
import type { Settings } from "../config/schema.ts";
import { writeCheckpoint } from "../engine/checkpointer.ts";
import { homeWriterOf } from "../engine/home-of.ts";
import type { SpaceCut } from "../engine/home-writer.ts";
import { recoverStream } from "../engine/recovery.ts";
import { SpaceKeeper } from "../engine/space-keeper.ts";
import { SpaceTable } from "../engine/space-table.ts";
import { EpochReader, Epochs, makeEpochs } from "../shm/epochs.ts";
import { CheckpointStore } from "../storage/checkpoint-store.ts";
import type { DataDirectory, NextTopology } from "../storage/data-directory.ts";
import { LocalLog } from "../storage/local-log.ts";
import { NativeDisk } from "../storage/native-disk.ts";

const MIB = 1024 * 1024;
const LOAD_THREADS = 4;

export function rehomeSpaces(options: {
  directory: DataDirectory;
  next: NextTopology;
  settings: Settings;
  progress: (text: string) => void;
}): void {
  const { directory, next, settings, progress } = options;
  const { streams, generation } = directory.topology;
  const writerCount = next.places.length;
  const disk = new NativeDisk(LOAD_THREADS);
  const sharedEpochs = makeEpochs(1);
  const epochs = new Epochs(sharedEpochs);
  const epoch = new EpochReader(sharedEpochs, 0);
  const table = new SpaceTable(SpaceTable.allocate(settings.spaces.max * streams));
  const cuts = next.places.map((): SpaceCut[] => []);
  const keepers: SpaceKeeper[] = [];
  for (let stream = 0; stream < streams; stream++) {
    const place = directory.stream(stream);
    const store = new CheckpointStore({ disk, directory: place.checkpoint, topology: generation, stream });
    const log = LocalLog.open(
      {
        disk,
        directory: place.log,
        topology: generation,
        stream,
        segmentBytes: settings.wal.segment_size_mb * MIB,
        bufferBytes: MIB,
      },
      store.sequence,
    );
    const keeper = new SpaceKeeper({
      table,
      writerCount: streams,
      space: {
        policy: { hugePages: "off" },
        writer: stream,
        M: settings.index.M,
        efConstruction: settings.index.ef_construction,
      },
      epochs,
    });
    recoverStream({ store, log, keeper, threads: LOAD_THREADS, progress });
    log.close();
    keepers.push(keeper);
    for (const cut of keeper.cut(0).spaces) {
      const root = table.roots[cut.spaceIndex]!;
      const writer = homeWriterOf(root.text("name"), writerCount);
      const spaces = cuts[writer]!;
      // Ids are dealt out by writer (space-keeper.ts); nothing in the new, empty logs speaks of the old ones.
      const spaceId = (spaces.length + 1) * writerCount + writer;
      root.publish("spaceId", spaceId);
      keeper.byId(cut.spaceId)!.mind.renumber(cut.nodeCount);
      spaces.push({ ...cut, spaceId });
    }
  }
  for (const [stream, place] of next.places.entries()) {
    progress(`writing ${cuts[stream]!.length} spaces to stream ${stream}`);
    writeCheckpoint({
      store: new CheckpointStore({ disk, directory: place.checkpoint, topology: place.topology, stream }),
      table,
      epoch,
      cut: { sequence: 0, spaces: cuts[stream]! },
      scratchDirectory: place.checkpoint,
      untilDurable: () => undefined,
    });
  }
  for (const keeper of keepers) for (const space of [...keeper.spaces]) keeper.delete(space);
  for (const keeper of keepers) keeper.collectRetired();
}
