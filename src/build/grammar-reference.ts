/** The page of the query language: its grammar as the parser has it, what each verb does, and examples that a test parses. */
import type { ISerializedGast } from "chevrotain";
import { StatementGrammar } from "../engine/statement/grammar.ts";
import {
  CONDITION_FIELDS,
  EPISODE_FIELDS,
  HOPS_MAX,
  KINDS,
  LIMIT_MAX,
  MODES,
} from "../engine/statement/values.ts";

/** A statement, and what it asks for. */
export const STATEMENT_EXAMPLES: readonly (readonly [statement: string, what: string])[] = [
  ['RECALL "who keeps bees"', "by meaning, words and association"],
  [
    'RECALL $question WHERE tag = "ada" AND time >= "2026-01-01" MODE words LIMIT 5 EXPLAIN',
    "by words only, with why each came; `question` is handed in beside the statement",
  ],
  ['RECALL "bees" AS OF "2026-03-01"', "as the memories stood then"],
  ['RECALL "holidays" WHERE kind = concept', "what was learned from many episodes"],
  ['SPREAD FROM MEMORY "trip", "tea" HOPS 2 DECAY 0.6', "what is associated with two memories"],
  ['SPREAD FROM "the coast" EXPLAIN', "what the memories that answer a text lead to, and along which path"],
  ['COMPLETE who = "Ada", where = "the mill"', "the rest of an episode that is known in part"],
  ["CONSOLIDATE LIMIT 10", "form concepts now, in ten cycles at most"],
  [
    'IMAGINE "a picnic by the sea" WHERE confidence >= 0.5',
    "scenes put together from parts of several episodes",
  ],
  ['PREDICT AFTER "the kettle whistles" WITHIN "1h"', "what followed when something like it happened"],
  ['PREDICT AFTER MEMORY "trip" LIMIT 3', "what tends to follow a memory"],
];

const VERBS: readonly (readonly [verb: string, what: string])[] = [
  ["RECALL", "Finds memories, as `POST /api/v1/memories/recall` does."],
  ["SPREAD", "Spreads activation from memories along their bindings and answers what it reaches."],
  ["COMPLETE", "Completes a fragment of an episode, as `POST /api/v1/complete` does."],
  [
    "CONSOLIDATE",
    "Runs a bounded consolidation now, as `POST /api/v1/consolidate` does. Needs the right `admin`.",
  ],
  [
    "IMAGINE",
    "Recombines parts of several episodes into scenes that did not happen, names the source of each part, and stores nothing.",
  ],
  [
    "PREDICT",
    "Follows what came after similar situations, with the share of the evidence behind each answer.",
  ],
];

export function grammarPage(note: string): string {
  return [
    "# Query language",
    "",
    note,
    "",
    "One statement a request, to `POST /api/v1/query/engram` or `engram-appliance query`. Keywords are read in any",
    "case, texts stand in quotes (escapes as in JSON), `--` begins a comment. `$name` takes a value that is handed in",
    "beside the statement, so that no text has to be pasted into one. An error names line and column, shows the",
    "place, and says what was expected there.",
    "",
    "## Examples",
    "",
    "| statement | asks for |",
    "| --- | --- |",
    ...STATEMENT_EXAMPLES.map(([statement, what]) => `| \`${statement}\` | ${what} |`),
    "",
    "## Verbs",
    "",
    "| verb | does |",
    "| --- | --- |",
    ...VERBS.map(([verb, what]) => `| \`${verb}\` | ${what} |`),
    "",
    "## Grammar",
    "",
    "`[ ]` may be left out, `{ }` may be repeated or left out, `|` separates alternatives. Each clause stands at most",
    "once.",
    "",
    "```ebnf",
    ...rules(),
    'text      = "\\"" … "\\"" | "\'" … "\'" ;',
    'number    = digit { digit } [ "." digit { digit } ] ;',
    'parameter = "$" name ;',
    "```",
    "",
    "## Conditions",
    "",
    "| field | operators | holds for memories that |",
    "| --- | --- | --- |",
    ...Object.entries(CONDITION_FIELDS).map(
      ([field, { operators, about }]) =>
        `| \`${field}\` | \`${operators.replaceAll(", ", "`, `")}\` | ${about} |`,
    ),
    "",
    `- Modes: ${code(MODES)}. Kinds: ${code(KINDS)}. Fields of an episode: ${code(EPISODE_FIELDS)}.`,
    '- Times: `"2026-01-31"`, `"2026-01-31T12:00:00Z"`, or milliseconds since 1970. Spans: `"90s"`, `"30m"`, `"12h"`, `"7d"`, `"2w"`.',
    `- \`LIMIT\` is 1 to ${LIMIT_MAX}, \`HOPS\` 1 to ${HOPS_MAX}, \`DECAY\` and \`THRESHOLD\` 0 to 1.`,
    "",
  ].join("\n");
}

function rules(): string[] {
  const productions = new StatementGrammar().getSerializedGastProductions();
  const widthMax = Math.max(...productions.map((rule) => nameOf(rule).length));
  return productions.map((rule) => `${nameOf(rule).padEnd(widthMax)} = ${sequence(rule)} ;`);
}

function sequence(of: ISerializedGast): string {
  return definitions(of).map(part).join(" ");
}

function part(of: ISerializedGast): string {
  switch (of.type) {
    case "Terminal":
      return terminal(nameOf(of));
    case "NonTerminal":
      return nameOf(of);
    case "Option":
      return `[ ${sequence(of)} ]`;
    case "Repetition":
      return `{ ${sequence(of)} }`;
    case "RepetitionMandatoryWithSeparator": {
      const separator = terminal(nameOf((of as unknown as { separator: ISerializedGast }).separator));
      const once = sequence(of);
      return `${once} { ${separator} ${once} }`;
    }
    case "Alternation":
      return `( ${definitions(of).map(part).join(" | ")} )`;
    default:
      return sequence(of);
  }
}

function terminal(name: string): string {
  if (/^[A-Z]/.test(name)) return `"${name}"`;
  return /^[a-z]/.test(name) ? name : `"${name}"`;
}

function definitions(of: ISerializedGast): ISerializedGast[] {
  return (of as unknown as { definition?: ISerializedGast[] }).definition ?? [];
}

function nameOf(of: ISerializedGast): string {
  return (of as unknown as { name?: string }).name ?? "";
}

function code(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}
