/** `top`: what a running appliance does, as a machine and as a mind, in a terminal. */
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../base/clock.ts";
import { OperatorError } from "../base/errors.ts";
import { applianceUrl, CLIENT_OPTIONS, callAppliance } from "./appliance-client.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { onInterrupt } from "./interrupt.ts";
import { factsJson, readFacts, type TopFacts } from "./top/facts.ts";
import { frame } from "./top/frame.ts";
import { COLOURED, PLAIN } from "./top/ink.ts";
import { showLive } from "./top/live.ts";

const INTERVAL_SECONDS = 2;
const INTERVAL_SECONDS_MIN = 0.5;
const INTERVAL_SECONDS_MAX = 3600;
const COLUMNS_DEFAULT = 80;
const COLUMNS_MIN = 20;

export const topCommand: Command = {
  name: "top",
  summary: "Watch what a running appliance does",
  details:
    "Operations and their latencies, threads, NUMA nodes, memory, the balance of fast and slow memory, and " +
    "alerts, in 80 columns or more. q leaves, ? shows the keys. Without a terminal, prints one frame. A value that " +
    'is not there is shown as "-". NO_COLOR is respected.',
  options: [
    { flags: "--interval <SECONDS>", about: `between two readings (default: ${INTERVAL_SECONDS})` },
    { flags: "--once", about: "print one frame, and leave" },
    ...CLIENT_OPTIONS,
    JSON_OPTION,
  ],
  examples: [
    ["engram-appliance top", "watch; q leaves"],
    ["engram-appliance top --once --json | jq .alerts", "what fires, for a script"],
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const intervalMs = intervalSeconds(context) * 1000;
  const url = applianceUrl(context);
  const nowMs = (): number => systemClock.wallMs();
  const read = (): Promise<TopFacts> =>
    readFacts((path) => callAppliance(context, "GET", path), { url, nowMs });
  const facts = await read();
  const isOnce = context.options["once"] === true || context.options["json"] === true;
  const terminal = context.openTerminal();
  const wantsColour = (context.environment["NO_COLOR"] ?? "") === "";
  const ink = terminal !== undefined && wantsColour ? COLOURED : PLAIN;
  if (isOnce || terminal === undefined) {
    const columns = terminal?.columns ?? columnsOf(context.environment["COLUMNS"]);
    present(context, factsJson(facts), () =>
      frame(facts, { columns, rows: Number.POSITIVE_INFINITY }, { ink }).join("\n"),
    );
  } else {
    await showLive(facts, { terminal, ink, intervalMs, read, nowMs, pause, onInterrupt });
  }
  return EXIT_CODES.ok.status;
}

function columnsOf(text: string | undefined): number {
  const columns = Number(text);
  return Number.isInteger(columns) && columns >= COLUMNS_MIN ? columns : COLUMNS_DEFAULT;
}

function intervalSeconds(context: CommandContext): number {
  const text = optionText(context, "interval");
  if (text === undefined) return INTERVAL_SECONDS;
  const seconds = text.trim() === "" ? Number.NaN : Number(text);
  if (seconds >= INTERVAL_SECONDS_MIN && seconds <= INTERVAL_SECONDS_MAX) return seconds;
  throw new OperatorError({
    code: "usage",
    message: `Cannot read every ${JSON.stringify(text)} seconds`,
    remedy: `Give --interval a number from ${INTERVAL_SECONDS_MIN} to ${INTERVAL_SECONDS_MAX}`,
  });
}
