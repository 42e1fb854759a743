/**
 * The terminal, for commands that fill it: another screen, no cursor, keys as they are pressed.
 *
 *   closed ──open──▶ open ──close | the process ends──▶ closed
 *
 * However the command ends, the screen, the cursor and the way keys are read are as they were before.
 */
import { isatty, type ReadStream, type WriteStream } from "node:tty";
import { STANDARD_OUTPUT } from "./standard-streams.ts";

export type TerminalListener = {
  /** what the terminal sent, as characters and escape sequences */
  readonly onInput: (text: string) => void;
  readonly onResize: () => void;
  /** the terminal has gone */
  readonly onEnd: () => void;
};

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  open(listener: TerminalListener): void;
  /** Shows these lines in place of what was shown. @param lines no wider and no more than the screen */
  draw(lines: readonly string[]): void;
  /** Once is enough; more does no harm. */
  close(): void;
}

const STANDARD_INPUT = 0;
const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

const OTHER_SCREEN = "\x1b[?1049h";
const OWN_SCREEN = "\x1b[?1049l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const HOME = "\x1b[H";
const CLEAR_LINE_END = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";
/** A terminal that knows them shows all that is between them at once. */
const HOLD = "\x1b[?2026h";
const RELEASE = "\x1b[?2026l";

/** The process's terminal; undefined where input or output is none, or it can do nothing but print. */
export function processTerminal(): Terminal | undefined {
  // Asked of the descriptors: a look at `process.stdout` alone makes a pipe non-blocking.
  if (!isatty(STANDARD_INPUT) || !isatty(STANDARD_OUTPUT) || process.env["TERM"] === "dumb") return undefined;
  const { stdin, stdout } = process;
  return new ProcessTerminal(stdin, stdout);
}

class ProcessTerminal implements Terminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  #close: (() => void) | undefined;

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  get columns(): number {
    return this.#output.columns || COLUMNS_DEFAULT;
  }

  get rows(): number {
    return this.#output.rows || ROWS_DEFAULT;
  }

  open({ onInput, onResize, onEnd }: TerminalListener): void {
    const onData = (text: string): void => onInput(text);
    const close = (): void => this.close();
    this.#close = () => {
      this.#input.off("data", onData).off("end", onEnd).off("error", onEnd);
      this.#output.off("resize", onResize);
      process.off("exit", close);
      this.#output.write(SHOW_CURSOR + OWN_SCREEN);
      this.#input.setRawMode(false);
      this.#input.pause();
    };
    this.#input.setEncoding("utf8").setRawMode(true);
    this.#input.on("data", onData).on("end", onEnd).on("error", onEnd).resume();
    this.#output.on("resize", onResize);
    // A defect must not leave the terminal in raw mode.
    process.on("exit", close);
    this.#output.write(OTHER_SCREEN + HIDE_CURSOR);
  }

  draw(lines: readonly string[]): void {
    const body = lines.map((line) => line + CLEAR_LINE_END).join("\r\n");
    this.#output.write(HOLD + HOME + body + CLEAR_BELOW + RELEASE);
  }

  close(): void {
    const close = this.#close;
    this.#close = undefined;
    close?.();
  }
}
