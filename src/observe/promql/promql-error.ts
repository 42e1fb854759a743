/**
 * What goes wrong with a query, in the words of Prometheus's HTTP API.
 *
 *   bad_data    the query or a parameter is not understood, or not supported
 *   execution   the query is understood and can not be answered for the data there is
 *   timeout     it took longer than it may
 */
export type PromqlErrorType = "bad_data" | "execution" | "timeout";

/** A query that is not answered. The caller can act on it; it is sent as a Prometheus error body. */
export class PromqlError extends Error {
  override readonly name = "PromqlError";
  readonly type: PromqlErrorType;

  constructor(type: PromqlErrorType, message: string) {
    super(message);
    this.type = type;
  }
}

/** A query that does not parse; `at` counts characters of `source` from 0. */
export function parseError(source: string, at: number, message: string): PromqlError {
  const before = source.slice(0, at);
  const line = before.split("\n").length;
  const column = at - (before.lastIndexOf("\n") + 1) + 1;
  return new PromqlError("bad_data", `${line}:${column}: parse error: ${message}`);
}

/** Something PromQL has and this evaluator has not, refused by its name. */
export function unsupported(source: string, at: number, what: string): PromqlError {
  return parseError(source, at, `${what} is not supported by this appliance`);
}
