/** Restarts the appliance with a command of its operator, and waits until it serves again. */
import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { OperatorError } from "../../base/errors.ts";
import { callAppliance } from "../appliance-client.ts";
import type { CommandContext } from "../command.ts";

const COMMAND_MS_MAX = 120_000;
const READY_MS_MAX = 180_000;
/** The appliance's own clock and ours, in how long it has been up. */
const UPTIME_SLACK_SECONDS = 1;

/** @throws {OperatorError} `tune-restart-failed` */
export async function restartAppliance(context: CommandContext, command: string): Promise<void> {
  const before = await uptimeSeconds(context);
  const beganMs = performance.now();
  const status = await runShell(command);
  if (status !== 0) throw failed(`\`${command}\` ended with ${status}`);
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (performance.now() < deadlineMs) {
    const uptime = await uptimeSeconds(context);
    const sinceSeconds = (performance.now() - beganMs) / 1000 + UPTIME_SLACK_SECONDS;
    // One that has been up for longer is the old one, on its way out.
    const isNew = uptime !== undefined && uptime <= sinceSeconds && (before === undefined || uptime < before);
    if (isNew) return;
    await pause(200);
  }
  throw failed(`it was not ready within ${READY_MS_MAX / 1000} s after \`${command}\``);
}

/** How long a ready appliance has been up; undefined while it is not ready, or does not answer. */
async function uptimeSeconds(context: CommandContext): Promise<number | undefined> {
  try {
    const health = (await callAppliance(context, "GET", "/api/v1/system/health")) as {
      readonly ready: boolean;
      readonly uptime_seconds: number;
    };
    return health.ready ? health.uptime_seconds : undefined;
  } catch {
    return undefined;
  }
}

function runShell(command: string): Promise<number | string> {
  return new Promise((resolve) => {
    const child = spawn("sh", ["-c", command], {
      stdio: ["ignore", "ignore", "inherit"],
      timeout: COMMAND_MS_MAX,
    });
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(code ?? signal ?? "an unknown status"));
  });
}

function failed(message: string): OperatorError {
  return new OperatorError({
    code: "tune-restart-failed",
    message: `Cannot restart the appliance: ${message}`,
    remedy: "Look at its log; the settings file is as it was before",
  });
}
