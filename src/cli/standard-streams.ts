/**
 * Standard output and standard error, written whole.
 *
 * `process.stdout` makes a pipe non-blocking for every program that shares it (`(engram-appliance query …; curl …) |
 * jq` lets curl fail), and what it holds back is lost when the process ends: all beyond the 64 KiB that a pipe
 * takes. So commands write by descriptor, and wait for whoever reads.
 */
import { writeSync } from "node:fs";
import { OperatorError } from "../base/errors.ts";

export const STANDARD_OUTPUT = 1;
export const STANDARD_ERROR = 2;

const WAIT_MS = 1;
/** Nothing may hang on errors that nobody reads, an appliance that is told to stop least of all. */
const ERROR_WAIT_MS_MAX = 2000;
/** Nobody reads any more: a pager that was left, a terminal that was closed. */
const NOBODY_READS = new Set(["EPIPE", "ECONNRESET", "EIO"]);

/**
 * Writes all of a text, however slowly it is read. Nothing is written where nobody reads any more, and the rest of an
 * error is dropped that a full non-blocking pipe did not take within two seconds.
 *
 * @throws {OperatorError} `file-operation-failed` where it can not be written, as on a full disk; for standard error
 * nobody could be told
 */
export function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  let waitsLeft = descriptor === STANDARD_ERROR ? ERROR_WAIT_MS_MAX / WAIT_MS : Number.POSITIVE_INFINITY;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== undefined && NOBODY_READS.has(code)) return;
      // Another program that shares it made it non-blocking.
      if (code !== "EAGAIN" && code !== "EINTR") {
        if (descriptor === STANDARD_ERROR) return;
        throw unwritable(error as Error);
      }
      if (waitsLeft-- <= 0) return;
      Bun.sleepSync(WAIT_MS);
    }
  }
}

function unwritable(error: Error): OperatorError {
  return new OperatorError({
    code: "file-operation-failed",
    message: `Standard output can not be written: ${error.message}`,
    remedy: "Make room where it goes, or send it somewhere else",
  });
}
