/**
 * The log of one home writer, as everything above storage sees it.
 *
 * `LocalLog` keeps it in segment files. A replicated log on an existing engine comes later; nothing above
 * this interface may know which one is there. A log belongs to one thread. Its numbers are contiguous:
 *
 *   oldest held … synced … written … appended
 *
 * `append` gives a record its number and gathers it in memory, `write` hands what was gathered to the log's
 * keeper (it survives this process), `sync` makes what was written durable (it survives the machine).
 */

/**
 * Sees one record. The payload lies in `bytes` from `at` on, `count` bytes; it is only valid during the call.
 */
export type LogVisit = (
  kind: number,
  spaceId: number,
  sequence: number,
  bytes: Uint8Array,
  at: number,
  count: number,
) => void;

export interface Log {
  /** sequence of the oldest record held, or of the next one while there is none */
  readonly oldestSequence: number;
  readonly appendedSequence: number;
  readonly writtenSequence: number;
  readonly syncedSequence: number;
  /** bytes on the disk */
  readonly diskBytes: number;

  /**
   * Makes sure that records of `bytes` altogether (`logRecordBytes` of each payload, `layout/log-record.ts`) can be appended.
   *
   * @throws {RequestError} `disk-full`: nothing changed, a later call may succeed
   * @throws {OperatorError} `log-write-failed`, `log-sync-failed`: the log is of no use any more
   */
  reserve(bytes: number): void;
  /**
   * Appends one record, for which room was reserved: `count` bytes of `bytes` from `at` on are its payload.
   *
   * @param kind 1 to LOG_KIND_MAX
   * @returns its sequence
   * @throws {OperatorError} `log-write-failed`
   */
  append(kind: number, spaceId: number, bytes: Uint8Array, at: number, count: number): number;
  /** Hands on what was appended. @throws {OperatorError} `log-write-failed` */
  write(): void;
  /** Makes what was written durable. @throws {OperatorError} `log-sync-failed`: the process has to stop */
  sync(): void;
  /** Says that nothing is waiting: a moment for small work that makes recovery surer. */
  idle(): void;
  /**
   * Visits every written record from `fromSequence` on, in order.
   *
   * @throws {OperatorError} `log-damaged`, `log-segment-missing`, `log-behind-checkpoint`
   */
  replay(fromSequence: number, visit: LogVisit): void;
  /** Gives up records below `sequence`, as far as that frees whole pieces. */
  truncateBefore(sequence: number): void;
  /** Writes, syncs, and lets go. */
  close(): void;
}
