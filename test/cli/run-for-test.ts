/** Runs a command line in this process and keeps what it printed. */
import { runCommand } from "../../src/cli/run-command.ts";
import type { StartAppliance } from "../../src/cli/serve-contract.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

export type Ran = { readonly exitCode: number; readonly out: string; readonly err: string };

export async function run(
  words: readonly string[],
  world: {
    environment?: Record<string, string | undefined>;
    startAppliance?: StartAppliance;
    terminal?: Terminal;
  } = {},
): Promise<Ran> {
  let out = "";
  let err = "";
  const exitCode = await runCommand(words, {
    // An empty ENGRAM_CONFIG keeps the machine's own settings out of the test.
    environment: { ENGRAM_CONFIG: "", ...world.environment },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    openLoadThread: () => new Worker(new URL("../../src/load-worker.ts", import.meta.url).href),
    openTerminal: () => world.terminal,
    startAppliance:
      world.startAppliance ??
      (() => {
        throw new Error("this command must not start an appliance");
      }),
  });
  return { exitCode, out, err };
}
