/** Log lines to standard error: for people, for journald (its priority prefix), or as JSON. */
import type { Settings } from "../config/schema.ts";

export type LogLevel = "error" | "warn" | "info" | "debug";
export type LogSink = (level: LogLevel, text: string) => void;

const RANK: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 };
/** syslog priorities, as sd-daemon(3) prefixes them */
const PRIORITY: Record<LogLevel, number> = { error: 3, warn: 4, info: 6, debug: 7 };

export function openLogSink(
  settings: Settings["logging"],
  world: { write: (line: string) => void; underJournald: boolean; now: () => number } = {
    write: (line) => void process.stderr.write(line),
    underJournald: process.env["JOURNAL_STREAM"] !== undefined,
    now: () => Date.now(),
  },
): LogSink {
  const most = RANK[settings.level as LogLevel];
  return (level, text) => {
    if (RANK[level] > most) return;
    if (settings.format === "json") {
      world.write(`${JSON.stringify({ time: new Date(world.now()).toISOString(), level, message: text })}\n`);
    } else if (world.underJournald) {
      // Every line of a message needs the prefix, or the rest would be logged as plain information.
      world.write(`${text.replace(/^/gm, `<${PRIORITY[level]}>`)}\n`);
    } else {
      world.write(`${new Date(world.now()).toISOString()} ${level} ${text}\n`);
    }
  };
}
