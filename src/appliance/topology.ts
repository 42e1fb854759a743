/**
 * Makes the data directory have one log stream per home writer: at the first start, and again when the number
 * of NUMA nodes that the appliance is placed on has changed.
 */

import type { Settings } from "../config/schema.ts";
import type { DataDirectory } from "../storage/data-directory.ts";
import { LocalLog } from "../storage/local-log.ts";
import { NativeDisk } from "../storage/native-disk.ts";
import type { LogSink } from "./log-sink.ts";
import { rehomeSpaces } from "./rehome.ts";

const MIB = 1024 * 1024;

export async function settleTopology(options: {
  directory: DataDirectory;
  writerCount: number;
  settings: Settings;
  progress: (text: string) => void;
  log: LogSink;
}): Promise<void> {
  const { directory, writerCount, settings, progress, log } = options;
  const { generation, streams } = directory.topology;
  if (streams === writerCount) return;
  const next = directory.beginTopology(writerCount);
  const disk = new NativeDisk(1);
  for (const place of next.places) {
    LocalLog.create({
      disk,
      directory: place.log,
      topology: place.topology,
      stream: place.stream,
      segmentBytes: settings.wal.segment_size_mb * MIB,
      bufferBytes: MIB,
    }).close();
  }
  if (generation > 0) {
    log(
      "info",
      `the data has ${streams} log streams, this start has ${writerCount} home writers: spaces get new homes`,
    );
    rehomeSpaces({ directory, next, settings, progress });
  }
  next.commit();
}
