/** Word lists of the Deese-Roediger-McDermott paradigm with vectors made from association norms, where the file is at hand. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

type File = {
  readonly lists: readonly {
    readonly lure: string;
    readonly items: readonly { readonly word: string }[];
    readonly human: { readonly false_recognition: number };
  }[];
  readonly vectors: {
    readonly dims: number;
    readonly words: readonly string[];
    readonly int8_base64: string;
  };
};

export type DrmMaterial = {
  readonly studied: readonly string[];
  /** never studied; with the share of people who took them for studied */
  readonly lures: readonly { readonly word: string; readonly falseRecognition: number }[];
  /** neither studied nor lures */
  readonly others: readonly string[];
  /** unit vector of a word that has one */
  readonly vector: (word: string) => Float32Array;
  /** cosine */
  readonly similarity: (a: string, b: string) => number;
};

export function drmMaterial(path: string): DrmMaterial {
  const { lists, vectors } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as File;
  const bytes = Buffer.from(vectors.int8_base64, "base64");
  const known = new Map(
    vectors.words.map((word, at) => {
      const row = Float32Array.from(
        new Int8Array(bytes.buffer, bytes.byteOffset + at * vectors.dims, vectors.dims),
      );
      const length = Math.hypot(...row);
      return [word, row.map((value) => value / length)] as const;
    }),
  );
  const studied = [...new Set(lists.flatMap(({ items }) => items.map(({ word }) => word)))].filter((word) =>
    known.has(word),
  );
  const isStudied = new Set(studied);
  const lures = lists
    .filter(({ lure }) => known.has(lure) && !isStudied.has(lure))
    .map(({ lure, human }) => ({ word: lure, falseRecognition: human.false_recognition }));
  const isLure = new Set(lures.map(({ word }) => word));
  const vector = (word: string): Float32Array => known.get(word)!;
  return {
    studied,
    lures,
    others: vectors.words.filter((word) => !isStudied.has(word) && !isLure.has(word)),
    vector,
    similarity: (a, b) => {
      const [left, right] = [vector(a), vector(b)];
      let sum = 0;
      for (let i = 0; i < left.length; i++) sum += left[i]! * right[i]!;
      return sum;
    },
  };
}
