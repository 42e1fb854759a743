/**
 * Repairs the logs of a data directory whose recovery was refused, because an operator asked for it.
 *
 * What can not be repaired is a checkpoint: it holds what the log gave up long ago.
 */
import { CheckpointStore } from "./checkpoint-store.ts";
import { DataDirectory } from "./data-directory.ts";
import type { Disk } from "./disk.ts";
import { type LogRepair, repairLog } from "./log-repair.ts";

export type StreamRepair = LogRepair & {
  readonly stream: number;
  /** the record up to which the stream's checkpoint speaks */
  readonly checkpointSequence: number;
};

/**
 * @param options.segmentBytes wal.segment_size_mb, for a log that has to begin anew
 * @throws {OperatorError} `data-directory-locked` while an appliance runs on it, `checkpoint-damaged`
 */
export function repairDataDirectory(options: {
  readonly disk: Disk;
  readonly path: string;
  readonly pid: number;
  readonly version: string;
  readonly nowMs: number;
  readonly segmentBytes: number;
}): StreamRepair[] {
  const { disk, segmentBytes } = options;
  const data = new DataDirectory(options);
  try {
    return Array.from({ length: data.topology.streams }, (_, stream) => {
      const place = data.stream(stream);
      const { topology } = place;
      const checkpoint = new CheckpointStore({ disk, directory: place.checkpoint, topology, stream });
      const log = { disk, directory: place.log, topology, stream, segmentBytes, bufferBytes: 1024 * 1024 };
      return { stream, checkpointSequence: checkpoint.sequence, ...repairLog(log, checkpoint.sequence) };
    });
  } finally {
    data.close();
  }
}
