/**
 * Log lines to standard error: for people, or as JSON objects; for journald with its priority prefix.
 *
 * A line that is about a request carries the fields of its trace, so that it is found by what the client knows: in JSON
 * each as a field of its own, in plain text behind the message.
 */
import { fstatSync } from "node:fs";
import type { Settings } from "../config/schema.ts";

export type LogLevel = "error" | "warn" | "info" | "debug";
/** Named as they are written. */
export type LogFields = Readonly<Record<string, string | number>>;
export type LogSink = (level: LogLevel, text: string, fields?: LogFields) => void;

const RANK: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 };
/** syslog priorities, as sd-daemon(3) prefixes them */
const PRIORITY: Record<LogLevel, number> = { error: 3, warn: 4, info: 6, debug: 7 };
/** What plain text shows; the message itself says the rest. */
const PLAIN_FIELDS: readonly string[] = ["trace_id", "span_id", "space"];

export function openLogSink(
  settings: Settings["logging"],
  world: { write: (line: string) => void; underJournald: boolean; now: () => number } = {
    write: (line) => void process.stderr.write(line),
    underJournald: isJournal(process.env["JOURNAL_STREAM"], 2),
    now: () => Date.now(),
  },
): LogSink {
  const most = RANK[settings.level as LogLevel];
  return (level, text, fields = {}) => {
    if (RANK[level] > most) return;
    const time = new Date(world.now()).toISOString();
    const line =
      settings.format === "json"
        ? JSON.stringify({ time, level, message: text, ...fields })
        : `${world.underJournald ? "" : `${time} ${level} `}${text}${plainFields(fields)}`;
    // Every line of a message needs the prefix, or the rest would be logged as plain information.
    world.write(`${world.underJournald ? line.replace(/^/gm, `<${PRIORITY[level]}>`) : line}\n`);
  };
}

/** Whether a descriptor leads to journald: systemd names the stream it made by device and inode. */
export function isJournal(named: string | undefined, descriptor: number): boolean {
  if (named === undefined) return false;
  try {
    const { dev, ino } = fstatSync(descriptor);
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

function plainFields(fields: LogFields): string {
  return PLAIN_FIELDS.flatMap((name) =>
    fields[name] === undefined ? [] : [` ${name}=${fields[name]}`],
  ).join("");
}
