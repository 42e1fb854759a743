/** What the log says when it can not go on, in one place: each with something an operator can do. */
import { OperatorError, RequestError } from "../base/errors.ts";

const REPAIR =
  "Restore the data directory from a backup, or, accepting the loss of what the log held from there on, run `engram-appliance doctor --repair` as the appliance's user and with its --config or --data; the damaged files are kept aside";

/** Something that was durable once can not be read any more. */
export function logDamaged(details: {
  path: string;
  at: number;
  sequence: number;
  found: string;
  cause?: unknown;
}): OperatorError {
  return new OperatorError({
    code: "log-damaged",
    message: `Cannot recover the log: ${details.path} is damaged at byte ${details.at}, where record ${details.sequence} should be: ${details.found}`,
    remedy: REPAIR,
    cause: details.cause,
  });
}

export function logSegmentMissing(details: { path: string; found: string }): OperatorError {
  return new OperatorError({
    code: "log-segment-missing",
    message: `Cannot recover the log: ${details.path} is missing: ${details.found}`,
    remedy: `Put the file back. If it is gone: ${REPAIR}`,
  });
}

export function logBehindCheckpoint(details: {
  path: string;
  appended: number;
  needed: number;
}): OperatorError {
  return new OperatorError({
    code: "log-behind-checkpoint",
    message: `Cannot recover the log: ${details.path} ends with record ${details.appended}, but the checkpoint holds records up to ${details.needed}`,
    remedy: REPAIR,
  });
}

export function logWriteFailed(path: string, cause: unknown): OperatorError {
  return new OperatorError({
    code: "log-write-failed",
    message: `Cannot write the log: ${path}: ${text(cause)}`,
    remedy: "Check the disk and its file system (dmesg, smartctl), then start the appliance again",
    cause,
  });
}

export function logSyncFailed(path: string, cause: unknown): OperatorError {
  return new OperatorError({
    code: "log-sync-failed",
    message: `Cannot make the log durable: ${path}: ${text(cause)}; a second try would answer "ok" for bytes that never reached the disk, so the appliance stops`,
    remedy:
      "Check the disk and its file system (dmesg, smartctl), then start the appliance again; what was acknowledged with fsync is safe",
    cause,
  });
}

export function diskFull(path: string, cause: unknown): RequestError {
  return new RequestError({
    code: "disk-full",
    message: `Cannot make room in the log: ${path}: ${text(cause)}`,
    retryAfterSeconds: 10,
    cause,
  });
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
