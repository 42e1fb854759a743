/**
 * The program: the command table, and what the appliance is built from.
 *
 * Every thread but this one starts in `worker.ts`. Here settings are read, commands are run, and the
 * process ends with the status the command answered.
 */
import { OperatorError } from "./base/errors.ts";
import { runCommand } from "./cli/run-command.ts";

process.exitCode = await runCommand(process.argv.slice(2), {
  environment: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  startAppliance: async () => {
    throw new OperatorError({
      code: "internal",
      message: "Cannot serve: the engine is not part of this build",
      remedy: "Use a build that holds it",
    });
  },
});
process.exit();
