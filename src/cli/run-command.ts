/**
 * From a command line to an exit status.
 *
 * Commander parses, prints help and names what a mistyped word may have meant; this file turns the command
 * table into its objects, and every error into a message with a remedy and an exit status. Nothing here
 * ends the process: `main.ts` does, with the answer.
 */
import { CommanderError, Command as Parser } from "commander";
import { BugError, OperatorError, RequestError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import { ProblemError } from "./appliance-client.ts";
import type { Command, CommandContext } from "./command.ts";
import { COMMANDS } from "./command-table.ts";
import { EXIT_CODES, type ExitCode, exitCodeOf, exitCodeOfStatus } from "./exit-codes.ts";
import type { StartAppliance } from "./serve-contract.ts";
import type { Terminal } from "./terminal.ts";

export const PROGRAM = "engram-appliance";

const EXIT_HELP = `
Exit statuses:
${Object.values(EXIT_CODES)
  .map(({ status, about }) => `  ${`${status}`.padStart(2)}  ${about}`)
  .join("\n")}
`;

/** What commands may touch of the world; handed in by `main.ts` and by tests. */
export type CommandWorld = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly startAppliance: StartAppliance;
  /** starts a thread of the load generator at `load-worker.ts` */
  readonly openLoadThread: () => Worker;
  readonly openTerminal: () => Terminal | undefined;
};

/** @param words the command line without program and script: ["serve", "--port", "0"] */
export async function runCommand(words: readonly string[], world: CommandWorld): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_CODES.ok.status;
  const parser = buildParser(world, (code) => {
    exitCode = code;
  });
  if (words.length === 0) {
    world.err(parser.helpInformation());
    return EXIT_CODES.usage.status;
  }
  try {
    await parser.parseAsync([...words], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version leave through an exception, too; everything else is a mistyped command line.
      return error.exitCode === 0 ? EXIT_CODES.ok.status : EXIT_CODES.usage.status;
    }
    world.err(describeError(error));
    return error instanceof ProblemError ? exitCodeOfStatus(error.status) : exitCodeOf(error);
  }
}

/** The help of a command, as `--help` prints it. @param path ["space", "create"]; the program's for [] */
export function helpOf(path: readonly string[]): string {
  let parser = buildParser(undefined, () => {});
  for (const name of path) {
    const child = parser.commands.find((command) => command.name() === name);
    if (child === undefined) throw new BugError(`There is no command ${path.join(" ")}`);
    parser = child;
  }
  let help = "";
  parser.configureOutput({ writeOut: (text) => (help += text) });
  parser.outputHelp();
  return help;
}

/** What stderr says about an error: what could not be done, why, and what helps. */
export function describeError(error: unknown): string {
  if (error instanceof OperatorError) {
    return `${PROGRAM}: ${error.message}\n  What helps: ${error.remedy}\n  Code: ${error.code}\n`;
  }
  if (error instanceof RequestError) {
    const facts = [
      error.at === undefined ? "" : `  At: ${error.at}\n`,
      error.expected === undefined ? "" : `  Expected: ${error.expected}\n`,
      error.received === undefined ? "" : `  Received: ${error.received}\n`,
    ];
    return `${PROGRAM}: ${error.message}\n${facts.join("")}  What helps: ${error.remedy}\n  Code: ${error.code}\n`;
  }
  if (error instanceof ProblemError) {
    const { problem } = error;
    const line = (label: string, name: string): string =>
      typeof problem[name] === "string" ? `  ${label}: ${problem[name]}\n` : "";
    const facts = line("At", "at") + line("Expected", "expected") + line("Received", "received");
    return `${PROGRAM}: ${error.message}\n${facts}${line("What helps", "remedy")}${line("Code", "code")}`;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${PROGRAM}: a defect of the program; please report it with these lines\n${stack}\n`;
}

function buildParser(world: CommandWorld | undefined, answer: (code: ExitCode) => void): Parser {
  const program = new Parser(PROGRAM);
  configure(program, world);
  program
    .description("A memory engine for programs and AI agents.")
    .version(VERSION, "-V, --version", "print the version")
    .helpCommand("help [command]", "print the help of a command")
    .addHelpText("after", EXIT_HELP);
  for (const command of COMMANDS) addCommand(program, command, world, answer);
  return program;
}

function addCommand(
  parent: Parser,
  command: Command,
  world: CommandWorld | undefined,
  answer: (code: ExitCode) => void,
): void {
  const parser = parent.command(command.name);
  configure(parser, world);
  parser.summary(command.summary);
  parser.description(`${command.summary}.${command.details === undefined ? "" : `\n\n${command.details}`}`);
  for (const { name, about, optional, variadic } of command.arguments ?? []) {
    const form = `${name}${variadic === true ? "..." : ""}`;
    parser.argument(optional === true ? `[${form}]` : `<${form}>`, about);
  }
  for (const { flags, about } of command.options ?? []) parser.option(flags, about);
  if (command.examples !== undefined) {
    const lines = command.examples.map(([line, what]) => `  ${line}\n      ${what}`);
    parser.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
  }
  if (command.commands !== undefined) {
    parser.helpCommand(false);
    for (const child of command.commands) addCommand(parser, child, world, answer);
  }
  const { run } = command;
  if (run === undefined || world === undefined) return;
  parser.action(async () => {
    const context: CommandContext = {
      arguments: parser.processedArgs as (string | undefined)[],
      options: parser.opts(),
      environment: world.environment,
      version: VERSION,
      out: world.out,
      err: world.err,
      startAppliance: world.startAppliance,
      openLoadThread: world.openLoadThread,
      openTerminal: world.openTerminal,
    };
    answer(await run(context));
  });
}

function configure(parser: Parser, world: CommandWorld | undefined): void {
  parser
    .exitOverride()
    .showHelpAfterError("(--help lists what there is)")
    .helpOption("-h, --help", "print this help")
    .configureHelp({ helpWidth: 100, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => world?.out(text),
      writeErr: (text) => world?.err(text),
      // Help reads the same in a terminal, a pipe and a golden file.
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}
