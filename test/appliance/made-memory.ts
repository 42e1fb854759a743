/**
 * Memories that a number makes: space, id and version give every field, so a test remembers numbers only, and
 * what comes back is compared whole with what the version in its metadata says it should be.
 */
import { hashBytes } from "../../src/base/hash64.ts";
import { Random } from "../../src/base/random.ts";
import type { MemoryReply, NewMemory } from "../support/appliance-client.ts";

export type Made = {
  readonly id: string;
  /** a word that no other version of any memory has */
  readonly word: string;
  readonly content: string;
  readonly tags: readonly string[];
  readonly metadata: { readonly version: number; readonly note: string };
  readonly confidence: number;
  readonly timestamp: number;
  readonly embedding: Float32Array | undefined;
};

const FILLER =
  "harbour lantern copper meadow walnut glacier violin thunder orchard pepper saddle willow".split(" ");
const LETTERS = "bcdfghjklmnpqrtvwxz";

/** @param dimensions of the embedding; 0 for one that the appliance makes */
export function makeMemory(space: string, id: string, version: number, dimensions: number): Made {
  const random = new Random(hashOf(`${space}/${id}/${version}`));
  const word = uniqueWord(space, id, version);
  // Mostly a few sentences, now and then one that spans many pages of a file.
  const words = random.below(40) === 0 ? 8000 : 3 + random.below(200);
  let content = word;
  for (let i = 0; i < words; i++) content += ` ${FILLER[random.below(FILLER.length)]}`;
  return {
    id,
    word,
    content: `${content} é ☃ 𝄞`,
    tags: random.below(2) === 0 ? [] : [`v${version}`, `of ${id}`],
    metadata: { version, note: `"${word}"\n` },
    confidence: random.below(1001) / 1000,
    timestamp: 1_500_000_000_000 + random.below(2 ** 40),
    embedding: dimensions === 0 ? undefined : gaussians(random, dimensions),
  };
}

/** What is sent to store it. */
export function asInput(made: Made): NewMemory {
  const { id, content, tags, metadata, confidence, timestamp, embedding } = made;
  return { id, content, tags, metadata, confidence, timestamp, embedding };
}

/** What is different in a memory read back; undefined for one that is whole. */
export function differenceOf(made: Made, read: MemoryReply): string | undefined {
  const expected: Record<string, unknown> = {
    id: made.id,
    content: made.content,
    tags: made.tags,
    metadata: made.metadata,
    confidence: made.confidence,
    timestamp: new Date(made.timestamp).toISOString(),
  };
  for (const [field, value] of Object.entries(expected)) {
    if (!Bun.deepEquals(value, read[field as keyof MemoryReply])) {
      return `${field} of ${made.id} is ${JSON.stringify(read[field as keyof MemoryReply]).slice(0, 200)} instead of ${JSON.stringify(value).slice(0, 200)}`;
    }
  }
  return undefined;
}

/** The version that a memory says it is. */
export function versionOf(read: MemoryReply): number {
  return Number(read.metadata["version"]);
}

export function gaussians(random: Random, count: number): Float32Array {
  const vector = new Float32Array(count);
  for (let i = 0; i < count; i++) vector[i] = random.gaussian();
  return vector;
}

/** Letters only, and no ending that a stemmer cuts off. */
function uniqueWord(space: string, id: string, version: number): string {
  const random = new Random(hashOf(`word of ${space}/${id}/${version}`));
  let word = "q";
  for (let i = 0; i < 14; i++) word += LETTERS[random.below(LETTERS.length)];
  return `${word}q`;
}

function hashOf(text: string): number {
  const bytes = new TextEncoder().encode(text);
  const hash = { low: 0, high: 0 };
  hashBytes(bytes, 0, bytes.length, hash);
  return hash.low + (hash.high & 0x1f_ffff) * 2 ** 32;
}
