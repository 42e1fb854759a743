/**
 * Asserts that run in production: a false one is our bug, and the worker that meets it stops.
 */
import { BugError } from "./errors.ts";

/** @throws {BugError} when `condition` is false; `message` states the rule that was broken */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BugError(message);
}
