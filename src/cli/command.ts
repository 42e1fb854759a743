/**
 * What a command is: its place in the table, its help, and the function that runs it.
 *
 * One file per command exports one `Command`; `command-table.ts` lists them, `run-command.ts` parses a
 * command line into a `CommandContext` and calls `run`. Help, the pages in `docs/reference/` and the
 * golden files all come from these tables.
 *
 * A command prints data to `out` and everything else to `err`, so that scripts can read it; with `--json`
 * it prints one JSON value. It answers with an exit status from `exit-codes.ts`, or throws.
 */
import type { ExitCode } from "./exit-codes.ts";
import type { StartAppliance } from "./serve-contract.ts";
import type { Terminal } from "./terminal.ts";

export type CommandArgument = {
  readonly name: string;
  readonly about: string;
  readonly optional?: boolean;
  /** takes all that follows */
  readonly variadic?: boolean;
};

export type CommandOption = {
  /** as shown in help: "--url <URL>" takes a value, "--dry-run" does not */
  readonly flags: string;
  readonly about: string;
};

export type Command = {
  readonly name: string;
  /** one line, without a full stop */
  readonly summary: string;
  /** what a person needs to know beyond the options */
  readonly details?: string;
  readonly arguments?: readonly CommandArgument[];
  readonly options?: readonly CommandOption[];
  /** command lines and what they do */
  readonly examples?: readonly (readonly [line: string, what: string])[];
  /** commands below this one; a command has these or `run` */
  readonly commands?: readonly Command[];
  readonly run?: (context: CommandContext) => Promise<ExitCode> | ExitCode;
};

export type CommandContext = {
  readonly arguments: readonly (string | undefined)[];
  /** by long name in camelCase (`--key-file` is `keyFile`); a switch that was not given is undefined */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** writes to standard output, as it is */
  readonly out: (text: string) => void;
  /** writes to standard error, as it is */
  readonly err: (text: string) => void;
  readonly startAppliance: StartAppliance;
  /** starts a thread of the load generator */
  readonly openLoadThread: () => Worker;
  /** undefined where there is none to fill */
  readonly openTerminal: () => Terminal | undefined;
};

/** Prints a value: as JSON with `--json`, else as the text made from it. */
export function present<T>(context: CommandContext, value: T, text: (value: T) => string): void {
  context.out(
    context.options["json"] === true ? `${JSON.stringify(value, null, 2)}\n` : ensureLineEnd(text(value)),
  );
}

/** A text option, where it was given. */
export function optionText(context: CommandContext, name: string): string | undefined {
  const value = context.options[name];
  return typeof value === "string" ? value : undefined;
}

export const JSON_OPTION: CommandOption = { flags: "--json", about: "print JSON" };

function ensureLineEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
