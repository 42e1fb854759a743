/**
 * Errors as they leave the API: `application/problem+json` (RFC 9457), whatever went wrong.
 *
 *   RequestError    the status of its code, with what was expected, received, and what to do
 *   OperatorError   500 and its code; its message stays in the log, because it may name paths and hosts
 *   anything else   500 `internal`: our bug, told to `onBug` so that the worker can stop
 *
 * A stack never leaves the process.
 */
import { ERROR_CODES } from "../base/error-codes.ts";
import { OperatorError, RequestError } from "../base/errors.ts";
import { ContractError, type Mismatch } from "./contract.ts";
import type { RequestLogFields } from "./request-watch.ts";

export type Problem = {
  /** where the code is explained; a path, because the host is the caller's to know */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly expected?: string | undefined;
  readonly received?: string | undefined;
  readonly at?: string | undefined;
  readonly remedy: string;
  readonly mismatches?: readonly Mismatch[] | undefined;
  readonly retry_after_seconds?: number | undefined;
  /** under which the log knows the request */
  readonly trace_id?: string | undefined;
};

/** Where errors that are not the caller's go. */
export type ErrorSink = {
  /** an OperatorError met while serving */
  operator(error: OperatorError, where: string, fields?: RequestLogFields): void;
  /** a broken rule inside the program, met while serving */
  bug(error: unknown, where: string, fields?: RequestLogFields): void;
};

/** A path that exists, called with a method that it does not take. */
export class MethodNotAllowed extends RequestError {
  readonly allowed: readonly string[];

  constructor(method: string, allowed: readonly string[]) {
    super({
      code: "method-not-allowed",
      message: `The call takes ${allowed.join(", ")}, not ${method}`,
      at: "method",
      expected: allowed.join(", "),
      received: method,
    });
    this.allowed = allowed;
  }
}

/** The problem that tells a caller about `error`. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RequestError) {
    return {
      type: `/api/v1/docs#${error.code}`,
      title: ERROR_CODES[error.code].summary,
      status: error.status,
      code: error.code,
      detail: error.message,
      expected: error.expected,
      received: error.received,
      at: error.at,
      remedy: error.remedy,
      mismatches:
        error instanceof ContractError && error.mismatches.length > 1 ? error.mismatches : undefined,
      retry_after_seconds: error.retryAfterSeconds,
    };
  }
  const code = error instanceof OperatorError ? error.code : "internal";
  return {
    type: `/api/v1/docs#${code}`,
    title: ERROR_CODES[code].summary,
    status: 500,
    code,
    detail: "The request could not be served, for a reason that the caller can not change",
    remedy: "Tell the operator, who finds the reason in the log of the appliance",
  };
}

/** The answer to a request that failed with `error`. `where` names it in the log, `fields` go with the line. */
export function problemResponse(
  error: unknown,
  sink: ErrorSink,
  where: string,
  fields?: RequestLogFields,
): Response {
  report(error, sink, where, fields);
  const problem = { ...problemOf(error), trace_id: fields?.trace_id };
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (problem.retry_after_seconds !== undefined) {
    headers["retry-after"] = String(Math.max(1, Math.ceil(problem.retry_after_seconds)));
  }
  if (error instanceof MethodNotAllowed) headers["allow"] = error.allowed.join(", ");
  // A client that goes on using a connection would be told the same again.
  if (problem.code === "shutting-down") headers["connection"] = "close";
  if (problem.status === 401) headers["www-authenticate"] = 'Bearer realm="engram-appliance"';
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** Tells the operator's side about an error that is not the caller's. */
export function report(error: unknown, sink: ErrorSink, where: string, fields?: RequestLogFields): void {
  if (error instanceof RequestError) return;
  if (error instanceof OperatorError) sink.operator(error, where, fields);
  else sink.bug(error, where, fields);
}
