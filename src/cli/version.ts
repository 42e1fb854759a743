/** `version`: which program this is, and what it was built with. */
import { arch, platform } from "node:os";
import { type Command, JSON_OPTION, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "Print the version",
  options: [JSON_OPTION],
  run: (context) => {
    const facts = { version: context.version, bun: process.versions.bun, platform: platform(), arch: arch() };
    present(context, facts, () => `engram-appliance ${context.version}`);
    return EXIT_CODES.ok.status;
  },
};
