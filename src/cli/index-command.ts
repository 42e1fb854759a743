/** `index`: the vector index of a space of a running appliance. */
import { setTimeout as pause } from "node:timers/promises";
import { CLIENT_OPTIONS, callAppliance } from "./appliance-client.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { factLines } from "./space.ts";
import { wholeNumber } from "./whole-number.ts";

const SPACE_OPTION = { flags: "--space <NAME>", about: "the memory space (default: default)" };
const POLL_INTERVAL_MS = 500;

/** An index as the API answers it. */
type IndexBody = Readonly<Record<string, unknown>> & {
  readonly rebuild?: { readonly done: number; readonly total: number } | null;
};

export const indexCommand: Command = {
  name: "index",
  summary: "Show and rebuild the vector index of a memory space",
  commands: [
    {
      name: "show",
      summary: "Show the index of a space",
      options: [SPACE_OPTION, ...CLIENT_OPTIONS, JSON_OPTION],
      run: show,
    },
    {
      name: "rebuild",
      summary: "Build the index anew while the old one goes on serving",
      options: [
        { flags: "--M <N>", about: "neighbours of a vector (default: as it is)" },
        { flags: "--ef-construction <N>", about: "candidates looked at when inserting (default: as it is)" },
        { flags: "--wait", about: "return when it is done" },
        SPACE_OPTION,
        ...CLIENT_OPTIONS,
        JSON_OPTION,
      ],
      examples: [
        ["engram-appliance index rebuild --M 32 --ef-construction 400", "a denser, more exact graph"],
      ],
      run: rebuild,
    },
  ],
};

async function show(context: CommandContext): Promise<number> {
  present(context, await readIndex(context), factLines);
  return EXIT_CODES.ok.status;
}

async function rebuild(context: CommandContext): Promise<number> {
  const M = optionText(context, "M");
  const efConstruction = optionText(context, "efConstruction");
  let body = (await callAppliance(context, "POST", `/api/v1/index/rebuild?${spaceQuery(context)}`, {
    ...(M === undefined ? {} : { M: wholeNumber(M, "--M") }),
    ...(efConstruction === undefined
      ? {}
      : { ef_construction: wholeNumber(efConstruction, "--ef-construction") }),
  })) as IndexBody;
  while (context.options["wait"] === true && body.rebuild !== undefined && body.rebuild !== null) {
    context.err(`rebuilding: ${body.rebuild.done} of ${body.rebuild.total}\n`);
    await pause(POLL_INTERVAL_MS);
    body = await readIndex(context);
  }
  present(context, body, factLines);
  return EXIT_CODES.ok.status;
}

async function readIndex(context: CommandContext): Promise<IndexBody> {
  return (await callAppliance(context, "GET", `/api/v1/index?${spaceQuery(context)}`)) as IndexBody;
}

function spaceQuery(context: CommandContext): string {
  return `space=${encodeURIComponent(optionText(context, "space") ?? "default")}`;
}
