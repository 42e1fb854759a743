/**
 * `serve`: runs the appliance in the foreground until a signal ends it.
 *
 *   starting ──ready──> serving ──SIGTERM, SIGINT──> draining ──> stopped, exit 0
 *      │                   ├──── SIGHUP: the settings are read again, and it goes on
 *      │                   └──── ended rejects ─────> failed, exit by the error's code
 *      └──SIGTERM, SIGINT──> stopped, exit 0
 *
 * A second signal while draining ends the process at once; what was acknowledged is in the log.
 */
import { resolve } from "node:path";
import { OperatorError } from "../base/errors.ts";
import type { Settings } from "../config/schema.ts";
import { openSystemdNotify } from "../runtime/systemd-notify.ts";
import type { Command, CommandContext } from "./command.ts";
import { EXIT_CODES, type ExitCode } from "./exit-codes.ts";
import type { RunningAppliance } from "./serve-contract.ts";
import { CONFIG_OPTION, DATA_OPTION, HOST_OPTION, loadSettingsOf, PORT_OPTION } from "./settings-options.ts";

const STATUS_INTERVAL_MS = 10_000;
/** What stopping may take beyond draining: the last group commit, a checkpoint that is cut short, the threads. */
const STOP_MARGIN_MS = 15_000;
/** Each sign of progress while starting asks systemd for this much more time. */
const START_EXTENSION_S = 60;

export const serveCommand: Command = {
  name: "serve",
  summary: "Run the appliance in the foreground",
  details:
    "Serves until SIGTERM or SIGINT, then finishes the requests under way within server.drain_timeout_s.\n" +
    "A second signal ends it at once. SIGHUP reads the settings again: live ones change, and the others wait for the\n" +
    "next start. Under systemd it reports readiness, status and signs of life.",
  options: [CONFIG_OPTION, DATA_OPTION, HOST_OPTION, PORT_OPTION],
  examples: [
    ["engram-appliance serve", "serve on 127.0.0.1:7432 with the data in ./data"],
    ["engram-appliance serve --data /srv/memories --port 8000", "another directory, another port"],
  ],
  run: serve,
};

async function serve(context: CommandContext): Promise<ExitCode> {
  const loaded = loadSettingsOf(context);
  let appliance: RunningAppliance | undefined;
  const manager = openSystemdNotify({
    environment: context.environment,
    // Starting may take long on a long log; the start timeout, not the watchdog, bounds it.
    alive: () => appliance === undefined || appliance.alive(),
    send: await notificationSender(context),
    processId: process.pid,
  });
  let statusTimer: ReturnType<typeof setInterval> | undefined;
  const signal = nextSignal();
  // Also while it starts: the signal's own effect would be the end.
  const hangUp = (): void => {
    if (appliance !== undefined) reload(context, appliance);
  };
  process.on("SIGHUP", hangUp);
  try {
    const starting = context.startAppliance(loaded, {
      progress: (text) => {
        manager.extendTimeout(START_EXTENSION_S);
        manager.status(text);
      },
    });
    // A signal while the log is replayed ends it there: nothing was acknowledged since, so nothing is lost.
    const started = await Promise.race([starting, signal]);
    if (typeof started === "string") {
      context.err(`engram-appliance: stopped on ${started} while starting\n`);
      return EXIT_CODES.ok.status;
    }
    appliance = started;
    const running = appliance;
    manager.ready(running.status());
    context.err(addressLines(running.url, loaded.settings));
    statusTimer = setInterval(() => manager.status(running.status()), STATUS_INTERVAL_MS);
    const name = await Promise.race([signal, running.ended.then(() => undefined)]);

    const drainMs = loaded.settings.server.drain_timeout_s * 1000;
    manager.stopping(
      name === undefined ? "stopping" : `stopping on ${name}, requests under way are finished`,
    );
    context.err(`engram-appliance: stopping${name === undefined ? "" : ` on ${name}`}\n`);
    await Promise.race([running.stop(drainMs), stopLate(drainMs + STOP_MARGIN_MS), secondSignal()]);
    context.err("engram-appliance: stopped\n");
    return EXIT_CODES.ok.status;
  } finally {
    clearInterval(statusTimer);
    process.off("SIGHUP", hangUp);
    manager.close();
  }
}

/** Reads the settings again, from where they were read; what is wrong leaves everything as it is. */
async function reload(context: CommandContext, appliance: RunningAppliance): Promise<void> {
  try {
    const { changed, waiting } = await appliance.reload(loadSettingsOf(context).settings);
    const names = (changes: typeof changed): string => changes.map(({ path }) => path).join(", ");
    const now = changed.length === 0 ? "no live setting has changed" : `in force now: ${names(changed)}`;
    const later = waiting.length === 0 ? "" : `; at the next start: ${names(waiting)}`;
    context.err(`engram-appliance: settings read again; ${now}${later}\n`);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    context.err(
      `engram-appliance: the settings stay as they were\n${error.message}\n  What helps: ${error.remedy}\n`,
    );
  }
}

/** Lines a person sees first: where to call, read and look. */
function addressLines(url: string, settings: Settings): string {
  return [
    `engram-appliance serves ${url}`,
    `  API      ${url}/api/v1`,
    `  docs     ${url}/api/v1/docs`,
    `  health   ${url}/api/v1/system/health`,
    `  data     ${resolve(settings.data.dir)}`,
    "",
  ].join("\n");
}

/** The native library is opened only where a service manager listens. */
async function notificationSender(context: CommandContext) {
  if ((context.environment["NOTIFY_SOCKET"] ?? "") === "") return () => undefined;
  const { sendNotification } = await import("../ffi/notify.ts");
  return sendNotification;
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
}

async function secondSignal(): Promise<never> {
  const name = await nextSignal();
  throw new OperatorError({
    code: "stop-cut-short",
    message: `Stopping was cut short by a second ${name}`,
    remedy: "Nothing is lost that was acknowledged with fsync; the next start replays the log",
  });
}

async function stopLate(boundMs: number): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, boundMs).unref());
  throw new OperatorError({
    code: "stop-cut-short",
    message: `Stopping took longer than ${boundMs / 1000} s`,
    remedy: "Nothing is lost that was acknowledged with fsync; the next start replays the log",
  });
}
