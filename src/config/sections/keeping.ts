/** Settings of what is kept and how safely: `data`, `spaces`, `wal` and `checkpoint`. */
import { z } from "zod";
import { choice, text, toggle, whole } from "../setting.ts";

export const dataSection = z.strictObject({
  dir: text({
    default: "./data",
    about: "The directory that holds the log, the checkpoints and the keys; made when it is missing",
    form: "a path; a relative one counts from the directory the appliance was started in",
    reader: "src/appliance/start.ts",
    pattern: /^[^\0]+$/,
    patternText: "a path",
  }),
});

export const spacesSection = z.strictObject({
  auto_create: toggle({
    default: true,
    about: "Whether the first write to a memory space that does not exist makes it",
    on: "A mistyped X-Memory-Space makes a new space",
    off: "Spaces are made with POST /api/v1/spaces or `engram-appliance space create`",
    live: true,
    reader: "src/engine/engine-settings.ts",
  }),
  max: whole({
    default: 1024,
    min: 1,
    max: 65_535,
    unit: "spaces",
    about: "Most memory spaces at once",
    tooLow: "New spaces are answered 409 space-limit-reached",
    tooHigh: "Each space costs some memory and descriptors even when it is empty",
    reader: "src/engine/engine-settings.ts",
  }),
  max_memories: whole({
    default: 50_000_000,
    min: 1,
    max: 1_000_000_000,
    unit: "memories",
    about: "Most memories in one space",
    tooLow: "Writes are answered 507 space-full",
    tooHigh: "One space may take all the memory of the machine (about 5 KB a memory at 768 dimensions)",
    reader: "src/engine/engine-settings.ts",
  }),
  default_language: choice({
    default: "english",
    about: "The language of a new space: which word endings are cut off, which words are passed over",
    choices: {
      english: "English stemming and stop words",
      german: "German stemming and stop words",
      french: "French stemming and stop words",
      spanish: "Spanish stemming and stop words",
      italian: "Italian stemming and stop words",
      portuguese: "Portuguese stemming and stop words",
      dutch: "Dutch stemming and stop words",
      swedish: "Swedish stemming and stop words",
      russian: "Russian stemming and stop words",
      none: "words as they are, for mixed languages",
    },
    reader: "src/engine/engine-settings.ts",
  }),
});

export const walSection = z.strictObject({
  sync_mode: choice({
    default: "immediate",
    about: "When the log is made durable",
    choices: {
      immediate: "a group is synced as soon as a write waits for it (ack=fsync)",
      batch: "at most once every wal.flush_interval_ms; ack=fsync waits for that moment",
    },
    live: true,
    reader: "src/appliance/live-settings.ts",
  }),
  flush_interval_ms: whole({
    default: 10,
    min: 1,
    max: 60_000,
    unit: "milliseconds",
    about:
      "The longest a record stays unsynced: the pause between syncs in batch mode, and for ack=memory and ack=wal",
    tooLow: "The disk is kept busy with small syncs",
    tooHigh:
      "A power cut loses more of what was not acknowledged with fsync; in batch mode ack=fsync waits longer",
    live: true,
    reader: "src/appliance/live-settings.ts",
  }),
  buffer_size_mb: whole({
    default: 8,
    min: 1,
    max: 256,
    unit: "MiB",
    about: "Log records gathered in memory before they are written in one piece",
    tooLow: "Large batches are written in more pieces",
    tooHigh: "Memory is held by each home writer, and one write to the disk takes longer",
    reader: "src/appliance/writer-thread.ts",
  }),
  segment_size_mb: whole({
    default: 64,
    min: 8,
    max: 4096,
    unit: "MiB",
    about: "Size of one log file; it is allocated whole",
    tooLow: "The log rolls over often, and each roll costs a directory sync",
    tooHigh: "Disk space comes back later after a checkpoint, since whole files are removed",
    reader: "src/appliance/writer-thread.ts",
  }),
});

export const checkpointSection = z.strictObject({
  interval_s: whole({
    default: 300,
    min: 1,
    max: 86_400,
    unit: "seconds",
    about: "A checkpoint is written this long after the last one, if anything changed",
    tooLow: "The disk writes graphs that hardly changed",
    tooHigh: "A start after a crash replays more of the log",
    live: true,
    reader: "src/appliance/background-thread.ts",
  }),
  log_mb: whole({
    default: 512,
    min: 8,
    max: 65_536,
    unit: "MiB",
    about: "A checkpoint is written when the log has grown by this much since the last one",
    tooLow: "Bulk loading is slowed by checkpoints",
    tooHigh: "A start after a crash replays more of the log, and the log takes more disk",
    live: true,
    reader: "src/appliance/background-thread.ts",
  }),
});
