/**
 * What the appliance tells systemd: that it is ready, what it does (`STATUS=`), that it is alive, that it
 * stops (sd_notify(3), `Type=notify`).
 *
 * Outside systemd (no $NOTIFY_SOCKET) every call does nothing. A datagram that can not be sent is dropped
 * and counted: the appliance serves on, and systemd's watchdog is the judge of a silence that lasts.
 *
 *   start ── ready() ──> READY=1, then WATCHDOG=1 at half of $WATCHDOG_USEC while `alive()` holds
 *                └─ stopping() ──> STOPPING=1, the watchdog goes on until close()
 */
export type SystemdNotify = {
  /** whether a service manager listens */
  readonly active: boolean;
  ready(status: string): void;
  /** one line for `systemctl status` */
  status(text: string): void;
  /** asks for more time to start, beyond TimeoutStartSec (recovery of a long log) */
  extendTimeout(seconds: number): void;
  stopping(status: string): void;
  close(): void;
  /** datagrams that could not be sent, and why the last one could not */
  failures(): { count: number; last: string | undefined };
};

type NotifyOptions = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** asked before each sign of life: false lets the watchdog run out, and systemd restarts the appliance */
  readonly alive: () => boolean;
  /** sends one datagram; answers the reason when it could not */
  readonly send: (socketPath: string, state: string) => string | undefined;
  readonly processId: number;
};

export function openSystemdNotify(options: NotifyOptions): SystemdNotify {
  const socketPath = options.environment["NOTIFY_SOCKET"] ?? "";
  const active = socketPath.startsWith("/") || socketPath.startsWith("@");
  let failureCount = 0;
  let failureLast: string | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;

  const tell = (...lines: string[]): void => {
    if (!active) return;
    const reason = options.send(socketPath, lines.join("\n"));
    if (reason === undefined) return;
    failureCount += 1;
    failureLast = reason;
  };

  const watchdogMs = active ? watchdogIntervalMs(options.environment, options.processId) : undefined;
  if (watchdogMs !== undefined) {
    timer = setInterval(() => {
      if (options.alive()) tell("WATCHDOG=1");
    }, watchdogMs);
    timer.unref();
  }

  return {
    active,
    ready: (status) => tell("READY=1", `STATUS=${oneLine(status)}`),
    status: (text) => tell(`STATUS=${oneLine(text)}`),
    extendTimeout: (seconds) => tell(`EXTEND_TIMEOUT_USEC=${Math.ceil(seconds * 1e6)}`),
    stopping: (status) => tell("STOPPING=1", `STATUS=${oneLine(status)}`),
    close: () => clearInterval(timer),
    failures: () => ({ count: failureCount, last: failureLast }),
  };
}

/**
 * How often to send a sign of life: half of what the service manager waits, as sd_watchdog_enabled(3)
 * advises. Undefined where it waits for none, or for another process.
 */
export function watchdogIntervalMs(
  environment: Readonly<Record<string, string | undefined>>,
  processId: number,
): number | undefined {
  const watchdogUs = Number(environment["WATCHDOG_USEC"]);
  if (!Number.isFinite(watchdogUs) || watchdogUs <= 0) return undefined;
  const meant = environment["WATCHDOG_PID"];
  if (meant !== undefined && Number(meant) !== processId) return undefined;
  return Math.max(1, Math.floor(watchdogUs / 2000));
}

/** A datagram is lines of KEY=value: a line end in a status would start another key. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, " ");
}
