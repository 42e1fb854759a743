/**
 * The exit statuses of every command, from sysexits.h, so that a script can tell what to do next.
 * `docs/reference/exit-codes.md` is generated from this table.
 */
import { ERROR_CODES } from "../base/error-codes.ts";
import { OperatorError, RequestError } from "../base/errors.ts";

export const EXIT_CODES = {
  ok: { status: 0, about: "It worked" },
  found: { status: 1, about: "It worked, and found something that is wrong (`doctor`)" },
  usage: { status: 64, about: "The command line is wrong" },
  refused: { status: 65, about: "The appliance refused the request: what was sent can not be done" },
  "not-found": { status: 66, about: "What was named does not exist" },
  unavailable: { status: 69, about: "The appliance, or something it needs, does not answer" },
  internal: { status: 70, about: "A defect of the program" },
  system: { status: 71, about: "The operating system refused" },
  "cannot-create": { status: 73, about: "A file can not be written" },
  "input-output": { status: 74, about: "Reading or writing failed" },
  "try-again": { status: 75, about: "Not now: the appliance is overloaded, recovering or stopping" },
  denied: { status: 77, about: "The key, or the user, lacks the right" },
  config: { status: 78, about: "The settings are wrong" },
} as const;

/** What a command answers with; the number is the process's exit status. */
export type ExitCode = number;

/** The exit status of an error that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof OperatorError) {
    const declared = ERROR_CODES[error.code];
    return declared.exit;
  }
  if (error instanceof RequestError) return exitCodeOfStatus(error.status);
  return EXIT_CODES.internal.status;
}

/** The exit status of a request that was answered with this HTTP status. */
export function exitCodeOfStatus(httpStatus: number): ExitCode {
  if (httpStatus < 400) return EXIT_CODES.ok.status;
  if (httpStatus === 401 || httpStatus === 403) return EXIT_CODES.denied.status;
  if (httpStatus === 404) return EXIT_CODES["not-found"].status;
  if (httpStatus === 429 || httpStatus === 503) return EXIT_CODES["try-again"].status;
  if (httpStatus < 500) return EXIT_CODES.refused.status;
  return httpStatus === 507 ? EXIT_CODES["input-output"].status : EXIT_CODES.internal.status;
}
