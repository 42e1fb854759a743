/**
 * The program: runs the command that was given, and ends with the status it answered. `serve` starts the
 * appliance (`appliance/start.ts`); every thread but this one begins in `worker.ts`, API workers in
 * `api-worker.ts`; those of the load generator in `load-worker.ts`.
 */
import type { ThreadRole } from "./appliance/boot.ts";
import { runCommand } from "./cli/run-command.ts";
import { STANDARD_ERROR, STANDARD_OUTPUT, writeWhole } from "./cli/standard-streams.ts";
import { processTerminal } from "./cli/terminal.ts";

process.exitCode = await runCommand(process.argv.slice(2), {
  environment: process.env,
  out: (text) => writeWhole(STANDARD_OUTPUT, text),
  err: (text) => writeWhole(STANDARD_ERROR, text),
  // Loaded only when it is needed: most commands talk to a running appliance and start in milliseconds.
  startAppliance: async (loaded, reports) => {
    const { boundHeapGrowth } = await import("./runtime/heap-growth.ts");
    const unbounded = boundHeapGrowth();
    if (unbounded !== undefined) writeWhole(STANDARD_ERROR, `heap growth is not bounded: ${unbounded}\n`);
    const { startAppliance } = await import("./appliance/start.ts");
    return startAppliance(loaded, reports, openWorker);
  },
  openLoadThread: () => new Worker(new URL("./load-worker.ts", import.meta.url).href, { smol: true }),
  openTerminal: processTerminal,
});
process.exit();

function openWorker(role: ThreadRole): Worker {
  // Written out twice: the bundler follows only what it can read.
  const url =
    role === "api" ? new URL("./api-worker.ts", import.meta.url) : new URL("./worker.ts", import.meta.url);
  return new Worker(url.href, { smol: true });
}
