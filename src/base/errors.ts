/**
 * The three kinds of error, told apart by who can act on them.
 *
 *   BugError       we can: an assert failed; the worker stops and recovery replays the log
 *   OperatorError  whoever runs the machine can: code, message, remedy
 *   RequestError   the caller can: code, what was expected, what was received, remedy
 *
 * Codes are declared in `error-codes.ts`; a code that is not in that table does not compile.
 */
import { ERROR_CODES, type OperatorErrorCode, type RequestErrorCode } from "./error-codes.ts";

/** A rule inside the program was broken. */
export class BugError extends Error {
  override readonly name = "BugError";
}

export type OperatorErrorDetails = {
  readonly code: OperatorErrorCode;
  /** the action, then the state: "Cannot open counter lane 12: the region holds 8 lanes" */
  readonly message: string;
  /** something to type or set */
  readonly remedy: string;
  readonly cause?: unknown;
};

/** The machine, its settings or its data stand in the way. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
  readonly code: OperatorErrorCode;
  readonly remedy: string;

  constructor(details: OperatorErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.remedy = details.remedy;
  }
}

export type RequestErrorDetails = {
  readonly code: RequestErrorCode;
  readonly message: string;
  readonly expected?: string;
  readonly received?: string;
  /** where in the request: a field path as `memories[3].embedding`, a header, a parameter */
  readonly at?: string;
  /** what to do; the table's remedy where absent */
  readonly remedy?: string;
  /** when trying again makes sense: seconds to wait, sent as Retry-After */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
};

/** The request can not be served as it is. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: RequestErrorCode;
  /** HTTP status, from the table */
  readonly status: number;
  readonly expected: string | undefined;
  readonly received: string | undefined;
  readonly at: string | undefined;
  readonly remedy: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(details: RequestErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    const declared = ERROR_CODES[details.code];
    this.code = details.code;
    this.status = declared.status;
    this.expected = details.expected;
    this.received = details.received;
    this.at = details.at;
    this.remedy = details.remedy ?? declared.remedy;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}
