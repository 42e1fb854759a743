/** How commands let the load generator loose on a running appliance. */
import { setTimeout as pause } from "node:timers/promises";
import type { LoadGenerator } from "../operate/bench/generator.ts";
import type { RunOptions } from "../operate/bench/run-workload.ts";
import { accessHeaders, applianceUrl, callAppliance, readApplianceText } from "./appliance-client.ts";
import type { CommandContext } from "./command.ts";

export function runOptions(
  context: CommandContext,
  given: Pick<RunOptions, "seed" | "concurrency" | "durationMs" | "spacePrefix"> & {
    readonly generator: LoadGenerator;
  },
): RunOptions {
  return {
    ...given,
    calls: {
      call: (method, path, body, space) => callAppliance(context, method, path, body, space),
      metrics: () => readApplianceText(context, "/metrics"),
    },
    target: targetOf(applianceUrl(context)),
    headers: accessHeaders(context),
    progress: (text) => context.err(`${text}\n`),
    pause,
  };
}

function targetOf(url: string): RunOptions["target"] {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === "https:";
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
    isSecure,
  };
}
