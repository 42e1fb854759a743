/**
 * Material of the Deese-Roediger-McDermott paradigm: lists of words that all point to one word that is not among
 * them, the critical lure; and, where they are given, vectors of the words.
 *
 * A file holds `{lists: [{lure, items: [{word}], human?: {false_recognition, …}}], vectors?: {dims, words,
 * int8_base64}}`, gzipped or not: vectors row-major, one row a word. Lists of our own serve where no file is named:
 * ten words around a theme, for which nobody has measured people.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { OperatorError } from "../../base/errors.ts";

export type DrmList = {
  readonly lure: string;
  readonly words: readonly string[];
  /** of people who studied the list, the share that took the lure for studied */
  readonly humanFalseRecognition?: number | undefined;
};

export type DrmMaterial = {
  readonly lists: readonly DrmList[];
  /** words that may come to mind, the lists' own among them */
  readonly lexicon: readonly string[];
  /** unit vectors; absent where the appliance is to embed the words */
  readonly vectors: ReadonlyMap<string, Float32Array> | undefined;
};

const fileSchema = z.object({
  lists: z
    .array(
      z.object({
        lure: z.string().min(1),
        items: z.array(z.object({ word: z.string().min(1) })).min(3),
        human: z.object({ false_recognition: z.number().min(0).max(1) }).optional(),
      }),
    )
    .min(2),
  vectors: z
    .object({ dims: z.int().min(2).max(16_384), words: z.array(z.string()), int8_base64: z.string() })
    .optional(),
});

const OWN_LISTS: readonly DrmList[] = [
  own("garden", "spade rose hedge lawn weed seed bloom soil fence compost"),
  own("kitchen", "oven pan sink knife recipe stove apron kettle plate fridge"),
  own("winter", "snow frost ice scarf sledge january blizzard coat icicle mitten"),
  own("library", "book shelf reader novel quiet catalogue loan page author librarian"),
  own("ocean", "wave tide whale salt coral sailor reef surf deep shore"),
  own("school", "teacher pupil classroom homework lesson chalk exam desk playground timetable"),
  own("train", "rail platform ticket locomotive carriage whistle tunnel conductor track journey"),
  own("wedding", "bride groom ring veil vow bouquet guest cake church honeymoon"),
];

export function ownMaterial(): DrmMaterial {
  return { lists: OWN_LISTS, lexicon: lexiconOf(OWN_LISTS, []), vectors: undefined };
}

/** @throws {OperatorError} `drm-material-unreadable` */
export function readMaterial(file: string): DrmMaterial {
  try {
    const bytes = readFileSync(file);
    const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes).toString() : bytes.toString();
    const { lists, vectors } = fileSchema.parse(JSON.parse(text));
    const known = vectors && vectorsOf(vectors);
    const all = lists.map(({ lure, items, human }) => ({
      lure,
      words: items.map(({ word }) => word),
      humanFalseRecognition: human?.false_recognition,
    }));
    return known === undefined
      ? { lists: all, lexicon: lexiconOf(all, []), vectors: undefined }
      : { ...withVectorsOnly(all, known), vectors: known };
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    throw new OperatorError({
      code: "drm-material-unreadable",
      message: `Cannot read word lists from ${file}: ${issue === undefined ? (cause as Error).message : `${issue.path.join(".")}: ${issue.message}`}`,
      remedy: 'Name a file with {"lists": [{"lure": "…", "items": [{"word": "…"}]}]}, gzipped or not',
      cause,
    });
  }
}

/** Words without a vector can be neither studied nor asked for. */
function withVectorsOnly(
  lists: readonly DrmList[],
  vectors: ReadonlyMap<string, Float32Array>,
): { readonly lists: readonly DrmList[]; readonly lexicon: readonly string[] } {
  const usable = lists
    .filter(({ lure }) => vectors.has(lure))
    .map((list) => ({ ...list, words: list.words.filter((word) => vectors.has(word)) }));
  return { lists: usable, lexicon: lexiconOf(usable, [...vectors.keys()]) };
}

function vectorsOf({ dims, words, int8_base64 }: { dims: number; words: string[]; int8_base64: string }) {
  const bytes = Buffer.from(int8_base64, "base64");
  if (bytes.length !== dims * words.length) {
    throw new Error(
      `${words.length} vectors of ${dims} numbers are ${dims * words.length} bytes, and there are ${bytes.length}`,
    );
  }
  return new Map(
    words.map((word, at) => {
      const row = Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset + at * dims, dims));
      const length = Math.hypot(...row) || 1;
      return [word, row.map((value) => value / length)] as const;
    }),
  );
}

function lexiconOf(lists: readonly DrmList[], others: readonly string[]): readonly string[] {
  return [...new Set([...lists.flatMap(({ lure, words }) => [lure, ...words]), ...others])];
}

function own(lure: string, words: string): DrmList {
  return { lure, words: words.split(" ") };
}
