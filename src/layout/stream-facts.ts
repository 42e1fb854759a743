/**
 * What each home writer says of itself and its log: one block of f64 per writer in a SharedArrayBuffer.
 * Only the writer stores, plainly; others read whenever they like and see it late by nanoseconds.
 */
export const STREAM_FACT = {
  /** 0 starting, 1 recovering, 2 ready, 3 stopped, 4 failed */
  state: 0,
  appendedSequence: 1,
  writtenSequence: 2,
  syncedSequence: 3,
  /** bytes appended since the start of the process */
  appendedBytes: 4,
  groupCount: 5,
  /** records in all groups */
  groupRecords: 6,
  /** time spent in sync, all groups, ms */
  syncMs: 7,
  /** the slowest sync, ms */
  syncMsMax: 8,
  /** ms since the epoch of the last turn of the loop */
  aliveAtMs: 9,
  diskBytes: 10,
  /** records replayed at the start */
  replayedRecords: 11,
  /** the whole recovery, ms */
  recoveryMs: 12,
  /** sequence the last checkpoint goes up to. Owner: the checkpointer */
  checkpointSequence: 13,
  /** ms since the epoch of the last checkpoint; 0 while there was none. Owner: the checkpointer */
  checkpointAtMs: 14,
  /** how long it took, ms. Owner: the checkpointer */
  checkpointMs: 15,
  checkpointFailures: 16,
  /** bytes cut off at the start because a group was torn by a crash */
  tornBytes: 17,
  /** requests refused because the disk was full */
  diskFullCount: 18,
  /** 1 while the last reservation found no room on the disk */
  diskFull: 19,
  /** the last record that is worth a checkpoint by itself: uses are not */
  changedSequence: 20,
} as const;

export const STREAM_FACTS_BYTES = 256;
export const STREAM_STATE = { starting: 0, recovering: 1, ready: 2, stopped: 3, failed: 4 } as const;
