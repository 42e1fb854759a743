/** Fields that several contracts share. */
import { z } from "zod";
import { SPACE_NAME } from "../layout/space-name.ts";
import { EMBEDDING_DIMENSIONS_MAX, TAG_CHARS_MAX } from "./settings.ts";

const TIME_MS_MAX = 8.64e15;
const TIME_TEXT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

export const timeField = z.union(
  [z.number().min(-TIME_MS_MAX).max(TIME_MS_MAX), z.string().regex(TIME_TEXT)],
  {
    error:
      'expected milliseconds since 1970, or ISO 8601 as "2026-01-31" or "2026-01-31T12:00:00Z", with an offset',
  },
);

export const ackField = z.enum(["memory", "wal", "fsync"]);
export const ifExistsField = z.enum(["error", "keep", "replace"]);
export const unitField = z.number().min(0).max(1);

/** Tags are joined by U+0000 where they are stored, and a control character in a tag is a mistake anyway. */
export const tagField = z
  .string()
  .min(1)
  .max(TAG_CHARS_MAX)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here
  .regex(/^[^\u0000-\u001f\u007f]+$/, { error: "expected a text without control characters" });

/** As documented. While serving the field is left open and read by `embedding-field.ts`, in one loop. */
export const embeddingField = z.union([
  z.array(z.number()).min(1).max(EMBEDDING_DIMENSIONS_MAX),
  z.string().min(8),
]);

export const kindField = z.enum(["memory", "episode", "concept"]);
export const kindsField = z.array(kindField).min(1).max(3);

/** Beside what happened and when. Names and places are short, reasons may be told. */
const NAME_CHARS_MAX = 256;
const TELLING_CHARS_MAX = 4096;
export const PARTICIPANTS_MAX = 64;
export const nameField = z.string().min(1).max(NAME_CHARS_MAX);
export const episodeDetails = z.strictObject({
  where: nameField.optional().describe("the place"),
  who: z.array(nameField).min(1).max(PARTICIPANTS_MAX).optional().describe("who took part"),
  why: z.string().min(1).max(TELLING_CHARS_MAX).optional().describe("the reason"),
  how: z.string().min(1).max(TELLING_CHARS_MAX).optional().describe("the way it happened"),
  session: nameField
    .optional()
    .describe("what it happened in the course of: a conversation, a task; its episodes are bound together"),
});

export const spaceNameField = z
  .string()
  .regex(SPACE_NAME, { error: "expected 1 to 64 letters, digits, dots, hyphens and underscores" });

/** A time as it is answered. */
export const timeReply = z.string().describe("ISO 8601, UTC");

/** Milliseconds since 1970 of a checked time field; NaN for a day or hour that does not exist. */
export function timeMs(value: number | string): number {
  if (typeof value === "number") return Math.round(value);
  // Date.parse takes 30 February for 1 March.
  const [year, month, day] = [value.slice(0, 4), value.slice(5, 7), value.slice(8, 10)].map(Number);
  const dayCount = new Date(Date.UTC(year!, month!, 0)).getUTCDate();
  return day! < 1 || day! > dayCount ? Number.NaN : Date.parse(value);
}
