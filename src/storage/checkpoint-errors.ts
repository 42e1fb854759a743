/** What a checkpoint says when it can not be read or written. */
import { OperatorError } from "../base/errors.ts";
import { isDiskFull } from "./disk.ts";

/** Something that was durable once can not be read any more, and nothing else holds it. */
export function checkpointDamaged(path: string, found: string): OperatorError {
  return new OperatorError({
    code: "checkpoint-damaged",
    message: `Cannot load the checkpoint: ${path}: ${found}`,
    remedy: "Restore the data directory from a backup; check the disk (dmesg, smartctl)",
  });
}

/** The disk refuses to answer. */
export function checkpointUnreadable(directory: string, cause: Error): OperatorError {
  return new OperatorError({
    code: "checkpoint-damaged",
    message: `Cannot read the checkpoint in ${directory}: ${cause.message}`,
    remedy: "Check the disk and its file system (dmesg, smartctl); if it is lost, restore from a backup",
    cause,
  });
}

/** A checkpoint was given up; the one before stays valid. */
export function checkpointFailed(directory: string, cause: unknown): OperatorError {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (isDiskFull(cause)) {
    return new OperatorError({
      code: "checkpoint-disk-full",
      message: `Cannot write a checkpoint in ${directory}: ${text}`,
      remedy: "Free disk space; the next checkpoint is tried by itself, and the log is kept until then",
      cause,
    });
  }
  return new OperatorError({
    code: "checkpoint-failed",
    message: `Cannot write a checkpoint in ${directory}: ${text}`,
    remedy:
      "Check the disk and its file system (dmesg, smartctl); the checkpoint before and the log hold everything",
    cause,
  });
}
