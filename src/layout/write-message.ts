/**
 * Messages between the threads that take requests and the home writers: requests one way, replies the other.
 *
 * A request, in the request ring of one producer and one writer; the payload is that of the log:
 *   byte 0    4        8      12            16                 20    21          24              28           32            40
 *        | op | ticket | item | space index | space generation | ack | if exists | payload bytes | term count | token count | payload … |
 *        hash low, u32 × terms | hash high, u32 × terms | frequency, u32 × terms
 *
 * The payload is padded to 8 bytes. Terms come with a remember, since the thread that took the request has
 * the text at hand and the writer should not analyse it; the log does without, recovery analyses again.
 *
 * `mind` carries a compound (`mind-record.ts`), `use` a list of uses. What names a node that is no longer there is
 * left out of both; `extra` in the reply says how many parts were done.
 *
 * A reply, in the reply ring of that producer and that writer, 24 bytes:
 *   byte 0        4      8          12      16
 *        | ticket | item | outcome | extra | sequence, f64
 */
export const WRITE_OP = {
  remember: 1,
  forget: 2,
  createSpace: 3,
  deleteSpace: 4,
  rebuildIndex: 5,
  cut: 6,
  truncate: 7,
  stop: 8,
  mind: 9,
  use: 10,
  describeSpace: 11,
} as const;

export const WRITE_REQUEST_HEAD_BYTES = 40;

/** Byte offsets. */
export const WRITE_REQUEST = {
  op: 0,
  ticket: 4,
  item: 8,
  spaceIndex: 12,
  spaceGeneration: 16,
  /** u8, an ACK code */
  ack: 20,
  /** u8, an IF_EXISTS code */
  ifExists: 21,
  payloadBytes: 24,
  termCount: 28,
  tokenCount: 32,
} as const;

export const ACK = { memory: 0, wal: 1, fsync: 2 } as const;
export const IF_EXISTS = { error: 0, keep: 1, replace: 2 } as const;

export const WRITE_REPLY_BYTES = 24;
export const WRITE_REPLY = { ticket: 0, item: 4, outcome: 8, extra: 12, sequence: 16 } as const;

export const WRITE_OUTCOME = {
  stored: 0,
  replaced: 1,
  kept: 2,
  forgotten: 3,
  done: 4,
  /** the id is taken and the request said "error" */
  exists: 16,
  notFound: 17,
  diskFull: 18,
  /** the space was deleted meanwhile */
  spaceGone: 19,
  spaceFull: 20,
  spaceExists: 21,
  spaceLimit: 22,
  /** the memory changed before its embedding came; nothing was done */
  superseded: 23,
  shuttingDown: 24,
  memoryRefused: 25,
} as const;
