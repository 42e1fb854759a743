/** `install`: puts executable, settings, user and unit in place. */
import { resolve } from "node:path";
import unitText from "../../systemd/engram-appliance.service" with { type: "text" };
import { OperatorError } from "../base/errors.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { applyStep, describeStep } from "./install/apply.ts";
import { planInstall, planUninstall, UNIT_NAME } from "./install/plan.ts";

const USER_NAME = /^[a-z_][a-z0-9_-]{0,30}$/;

export const installCommand: Command = {
  name: "install",
  summary: "Install this executable as a systemd service",
  details:
    "Copies the executable, makes the user that runs it, writes the unit and, once, the settings file.\n" +
    "Doing it again brings executable and unit up to date and leaves settings and data alone.",
  options: [
    { flags: "--prefix <DIR>", about: "where bin/engram-appliance goes (default: /usr/local)" },
    { flags: "--root <DIR>", about: "install below this directory instead of into this machine" },
    { flags: "--user <NAME>", about: "the system user that runs it (default: engram)" },
    { flags: "--uninstall", about: "take it away again; settings, data and user stay" },
    { flags: "--dry-run", about: "print what would be done" },
    JSON_OPTION,
  ],
  examples: [
    ["sudo engram-appliance install", "then: sudo systemctl enable --now engram-appliance"],
    ["engram-appliance install --dry-run", "see what it would do"],
  ],
  run: install,
};

function install(context: CommandContext): number {
  const root = resolve(optionText(context, "root") ?? "/");
  const prefix = resolve(optionText(context, "prefix") ?? "/usr/local");
  const user = optionText(context, "user") ?? "engram";
  if (!USER_NAME.test(user)) {
    throw new OperatorError({
      code: "usage",
      message: `Cannot install for the user ${JSON.stringify(user)}: that is no name of a user`,
      remedy: "Use small letters, digits, - and _, at most 31, starting with a letter",
    });
  }
  const uninstall = context.options["uninstall"] === true;
  const steps = uninstall
    ? planUninstall({ root, prefix })
    : planInstall({ root, prefix, user, executable: ownExecutable(), unitText });
  if (context.options["dry-run"] === true || context.options["dryRun"] === true) {
    present(context, { steps }, () => `${steps.map(describeStep).join("\n")}\n`);
    return EXIT_CODES.ok.status;
  }
  const results = steps.map(applyStep);
  present(context, { results }, () => {
    const lines = results.map(({ what, outcome }) => `${outcome.padEnd(9)}  ${what}`).join("\n");
    if (uninstall) return `${lines}\nSettings, data and the user stay.\n`;
    return `${lines}\nStart it: systemctl enable --now ${UNIT_NAME}\nLook:     systemctl status ${UNIT_NAME}\n`;
  });
  return EXIT_CODES.ok.status;
}

/** This program's own file. Under a plain Bun there is none that could be installed. */
function ownExecutable(): string {
  if (Bun.main.startsWith("/$bunfs/")) return process.execPath;
  throw new OperatorError({
    code: "install-failed",
    message: "Cannot install: this is not the built executable",
    remedy: "Build it and use it: npm run build && sudo dist/engram-appliance install",
  });
}
