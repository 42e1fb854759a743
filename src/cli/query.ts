/** `query`: a statement of the query language, carried out by a running appliance. */
import { readFileSync } from "node:fs";
import { OperatorError } from "../base/errors.ts";
import { CLIENT_OPTIONS, callAppliance } from "./appliance-client.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { table } from "./text-table.ts";

type Shown = { readonly id: string; readonly content: string };
type Reply = {
  readonly verb: string;
  readonly recall?: { readonly memories: readonly (Shown & { readonly score: number })[] };
  readonly spread?: { readonly reached: readonly { readonly memory: Shown; readonly activation: number }[] };
  readonly complete?: {
    readonly episode: Readonly<Record<string, unknown>>;
    readonly filled: readonly {
      readonly field: string;
      readonly confidence: number;
      readonly sources: readonly string[];
    }[];
    readonly plausibility: number;
  };
  readonly consolidate?: Readonly<Record<string, unknown>>;
  readonly imagine?: {
    readonly scenes: readonly {
      readonly parts: readonly { readonly field: string; readonly value: unknown; readonly source: string }[];
      readonly plausibility: number;
    }[];
  };
  readonly predict?: {
    readonly predictions: readonly { readonly memory: Shown; readonly probability: number }[];
  };
};

const CONTENT_CHARS = 72;

export const queryCommand: Command = {
  name: "query",
  summary: "Carry out a statement of the query language",
  details:
    "The grammar is in docs/reference/query-language.md. `-` reads the statement from standard input. Values for " +
    "$names are given with --param, so that no text has to be quoted twice.",
  arguments: [{ name: "statement", about: "such as 'RECALL $q LIMIT 5', or - for standard input" }],
  options: [
    { flags: "--space <NAME>", about: "the memory space (default: default)" },
    { flags: "--param <NAME=VALUE>", about: "a value for one $name; several with commas between" },
    ...CLIENT_OPTIONS,
    JSON_OPTION,
  ],
  examples: [
    [`engram-appliance query 'RECALL "who keeps bees" LIMIT 3'`, "find memories"],
    [`engram-appliance query 'PREDICT AFTER $now WITHIN "1h"' --param now=rain`, "what tends to follow"],
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const given = context.arguments[0] ?? "";
  const statement = given === "-" ? readFileSync(0, "utf8") : given;
  const parameters = parametersOf(optionText(context, "param"));
  const space = optionText(context, "space") ?? "default";
  const body = { statement, ...(parameters === undefined ? {} : { parameters }) };
  const reply = (await callAppliance(context, "POST", "/api/v1/query/engram", body, space)) as Reply;
  present(context, reply, replyText);
  return EXIT_CODES.ok.status;
}

function parametersOf(text: string | undefined): Record<string, string | number> | undefined {
  if (text === undefined) return undefined;
  return Object.fromEntries(
    text.split(",").map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) {
        throw new OperatorError({
          code: "usage",
          message: `Cannot read --param ${pair}`,
          remedy: "Write NAME=VALUE, without the $",
        });
      }
      const value = pair.slice(at + 1);
      return [pair.slice(0, at), /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value] as const;
    }),
  );
}

function replyText(reply: Reply): string {
  const { recall, spread, complete, consolidate, imagine, predict } = reply;
  if (recall !== undefined) {
    return memoriesText(
      "score",
      recall.memories.map((memory) => [memory.score, memory] as const),
    );
  }
  if (spread !== undefined) {
    return memoriesText(
      "activation",
      spread.reached.map(({ memory, activation }) => [activation, memory] as const),
    );
  }
  if (predict !== undefined) {
    return memoriesText(
      "probability",
      predict.predictions.map(({ memory, probability }) => [probability, memory] as const),
    );
  }
  if (complete !== undefined) {
    const filled = new Map(complete.filled.map((each) => [each.field, each]));
    const rows = Object.entries(complete.episode).map(([field, value]) => {
      const { confidence, sources } = filled.get(field) ?? {};
      const from =
        confidence === undefined ? "given" : `${confidence.toFixed(2)} from ${sources!.join(", ")}`;
      return [field, Array.isArray(value) ? value.join(", ") : String(value), from];
    });
    return `${table(["field", "value", "how sure"], rows)}plausibility ${complete.plausibility.toFixed(2)}\n`;
  }
  if (imagine !== undefined) {
    if (imagine.scenes.length === 0) return "nothing new can be put together from what is there\n";
    return imagine.scenes
      .map(({ parts, plausibility }) => {
        const rows = parts.map(({ field, value, source }) => [field, String(value), source]);
        return `plausibility ${plausibility.toFixed(2)}\n${table(["part", "value", "from"], rows)}`;
      })
      .join("\n");
  }
  return `${JSON.stringify(consolidate, null, 2)}\n`;
}

function memoriesText(measure: string, found: readonly (readonly [number, Shown])[]): string {
  if (found.length === 0) return "nothing was found\n";
  return table(
    [measure, "id", "content"],
    found.map(([value, { id, content }]) => [value.toFixed(3), id, shortened(content)]),
  );
}

function shortened(content: string): string {
  const line = content.replace(/\s+/g, " ");
  return line.length <= CONTENT_CHARS ? line : `${line.slice(0, CONTENT_CHARS - 1)}…`;
}
