/**
 * Real conversations with questions, and the turns that answer them, as the retrieval benches use them.
 *
 * The data is not part of the project: it is read from the folder that ENGRAM_DATA names, or from
 * `../shared/data` beside the repository.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

export type Turn = {
  readonly id: string;
  /** "Speaker: text", and what a picture shows */
  readonly content: string;
  readonly timestampMs: number;
};
export type Question = {
  readonly text: string;
  readonly category: string;
  /** positions of the turns that answer it; at least one */
  readonly evidence: readonly number[];
};
export type Conversation = {
  readonly name: string;
  readonly turns: readonly Turn[];
  readonly questions: readonly Question[];
};

type RawConversation = {
  readonly conversation: string;
  readonly turns: readonly {
    readonly id: string;
    readonly session_time: string;
    readonly speaker: string;
    readonly text: string;
    readonly image_caption?: string;
  }[];
  readonly questions: readonly {
    readonly question: string;
    readonly category: string;
    readonly evidence: readonly string[];
  }[];
};

/** Where the data is looked for. */
export function conversationsPath(): string {
  const folder = process.env["ENGRAM_DATA"] ?? resolve(import.meta.dir, "../../../shared/data");
  return join(folder, "conversations.json.gz");
}

/** Why there is nothing to measure with; undefined when there is. */
export function missingConversations(): string | undefined {
  const path = conversationsPath();
  return existsSync(path) ? undefined : `${path} is not there; set ENGRAM_DATA to the folder that holds it`;
}

/** All conversations. Questions none of whose evidence exists are left out. */
export function loadConversations(): Conversation[] {
  const raw = JSON.parse(gunzipSync(readFileSync(conversationsPath())).toString("utf8")) as RawConversation[];
  return raw.map(({ conversation, turns, questions }) => {
    const positions = new Map(turns.map((turn, position) => [turn.id, position]));
    return {
      name: conversation,
      turns: turns.map((turn) => ({
        id: turn.id,
        content: `${turn.speaker}: ${turn.text}${turn.image_caption ? ` [image: ${turn.image_caption}]` : ""}`,
        timestampMs: parseSessionTime(turn.session_time),
      })),
      questions: questions
        .map(({ question, category, evidence }) => ({
          text: question,
          category,
          evidence: evidencePositions(evidence, positions),
        }))
        .filter((question) => question.evidence.length > 0),
    };
  });
}

/** Some entries hold several ids, and some ids do not exist. */
function evidencePositions(evidence: readonly string[], positions: ReadonlyMap<string, number>): number[] {
  const ids = evidence.flatMap((entry) => entry.split(/[\s,;]+/));
  return [...new Set(ids.flatMap((id) => positions.get(id) ?? []))];
}

/** "11:01 am on 17 December, 2022", taken as UTC. */
export function parseSessionTime(text: string): number {
  const match = /^(\d{1,2}):(\d{2}) (am|pm) on (\d{1,2}) (\w+),? (\d{4})$/.exec(text.trim());
  if (match === null) throw new Error(`Cannot read the time of a session: ${text}`);
  const [, hour, minute, half, day, month, year] = match;
  const hours = (Number(hour) % 12) + (half === "pm" ? 12 : 0);
  return Date.parse(`${day} ${month} ${year} ${hours}:${minute} UTC`);
}
