/** `space`: memory spaces of a running appliance. */
import { OperatorError } from "../base/errors.ts";
import { CLIENT_OPTIONS, callAppliance } from "./appliance-client.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { table } from "./text-table.ts";
import { wholeNumber } from "./whole-number.ts";

/** A space as the API answers it; figures the appliance does not know are absent. */
type SpaceBody = Readonly<Record<string, string | number | boolean | null | undefined>>;

const NAME_ARGUMENT = { name: "name", about: "the memory space" };

export const spaceCommand: Command = {
  name: "space",
  summary: "List, make, show and delete memory spaces",
  commands: [
    { name: "list", summary: "List all spaces", options: [...CLIENT_OPTIONS, JSON_OPTION], run: list },
    {
      name: "show",
      summary: "Show one space",
      arguments: [NAME_ARGUMENT],
      options: [...CLIENT_OPTIONS, JSON_OPTION],
      run: show,
    },
    {
      name: "create",
      summary: "Make a space",
      details: "What is not given comes from the settings of the appliance; it can not be changed later.",
      arguments: [NAME_ARGUMENT],
      options: [
        { flags: "--dimensions <N>", about: "length of its vectors" },
        { flags: "--embedder <NAME>", about: "hash, openai or none" },
        { flags: "--language <NAME>", about: "language of its words, as in spaces.default_language" },
        ...CLIENT_OPTIONS,
        JSON_OPTION,
      ],
      examples: [["engram-appliance space create notes --language german", "German endings and stop words"]],
      run: create,
    },
    {
      name: "delete",
      summary: "Delete a space with everything in it, for good",
      arguments: [NAME_ARGUMENT],
      options: [
        { flags: "--yes", about: "do it; without this, nothing is deleted" },
        ...CLIENT_OPTIONS,
        JSON_OPTION,
      ],
      run: remove,
    },
  ],
};

async function list(context: CommandContext): Promise<number> {
  const body = (await callAppliance(context, "GET", "/api/v1/spaces")) as { spaces: readonly SpaceBody[] };
  present(context, body, ({ spaces }) =>
    table(
      ["space", "memories", "dimensions", "embedder", "language", "tail"],
      spaces.map((space) =>
        ["name", "memories", "dimensions", "embedder", "language", "tail"].map(
          (name) => `${space[name] ?? "-"}`,
        ),
      ),
    ),
  );
  return EXIT_CODES.ok.status;
}

async function show(context: CommandContext): Promise<number> {
  const body = (await callAppliance(context, "GET", spacePath(context))) as SpaceBody;
  present(context, body, factLines);
  return EXIT_CODES.ok.status;
}

async function create(context: CommandContext): Promise<number> {
  const dimensions = optionText(context, "dimensions");
  const body = (await callAppliance(context, "POST", "/api/v1/spaces", {
    name: context.arguments[0],
    ...(dimensions === undefined ? {} : { dimensions: wholeNumber(dimensions, "--dimensions") }),
    embedder: optionText(context, "embedder"),
    language: optionText(context, "language"),
  })) as SpaceBody;
  present(context, body, factLines);
  return EXIT_CODES.ok.status;
}

async function remove(context: CommandContext): Promise<number> {
  const name = context.arguments[0] ?? "";
  if (context.options["yes"] !== true) {
    const space = (await callAppliance(context, "GET", spacePath(context))) as SpaceBody;
    throw new OperatorError({
      code: "usage",
      message: `Nothing was deleted: ${name} holds ${space["memories"] ?? "?"} memories`,
      remedy: `Delete it for good with \`engram-appliance space delete ${name} --yes\``,
    });
  }
  await callAppliance(context, "DELETE", spacePath(context));
  present(context, { name, deleted: true }, () => `Deleted ${name}`);
  return EXIT_CODES.ok.status;
}

function spacePath(context: CommandContext): string {
  return `/api/v1/spaces/${encodeURIComponent(context.arguments[0] ?? "")}`;
}

/** One `name: value` line a fact, in the order of the answer. */
export function factLines(body: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(body).map((name) => name.replaceAll("_", " "));
  const widthMax = Math.max(0, ...names.map((name) => name.length));
  return Object.values(body)
    .map((value, index) => {
      const shown = typeof value === "object" && value !== null ? JSON.stringify(value) : `${value}`;
      return `${`${names[index]}:`.padEnd(widthMax + 2)}${shown}\n`;
    })
    .join("");
}
