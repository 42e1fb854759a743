/**
 * Who said each memory of a space, as far as this thread has asked: read once from the content's start or from the
 * metadata, then kept as a number a slot. A slot never changes hands, so what was read stays true.
 */
import { namesSpeaker, SPEAKER_UNITS_MAX, speakerOf } from "../../language/speaker.ts";
import type { SpaceReader } from "../space-reader.ts";

/** Fields of an episode's details and of metadata that name who a memory is from, the first that is there. */
const FIELDS = ["speaker", "who", "author", "from", "user", "role", "name"] as const;
/** A name of SPEAKER_UNITS_MAX letters, of which each may take two bytes. */
const OPENING_BYTES: number = 2 * SPEAKER_UNITS_MAX;
const NOBODY = 1;
/** A space in which every memory has another speaker is no conversation: the rest count as said by nobody. */
const SPEAKERS_MAX = 4096;

export class SpeakerNames {
  /** 0 where nobody has asked yet, NOBODY, or 2 + place in `#names` */
  #codes = new Uint16Array(1024);
  readonly #names: string[] = [];
  readonly #codeOf = new Map<string, number>();

  /** The speaker of a memory; undefined where it names none. */
  of(reader: SpaceReader, slot: number): string | undefined {
    return this.#names[this.#code(reader, slot) - 2];
  }

  #code(reader: SpaceReader, slot: number): number {
    if (slot >= this.#codes.length) {
      const grown = new Uint16Array(2 ** Math.ceil(Math.log2(slot + 1)));
      grown.set(this.#codes);
      this.#codes = grown;
    }
    const known = this.#codes[slot]!;
    if (known !== 0) return known;
    const code = this.#codeOfName(speakerIn(reader, slot));
    this.#codes[slot] = code;
    return code;
  }

  #codeOfName(name: string | undefined): number {
    if (name === undefined) return NOBODY;
    const known = this.#codeOf.get(name);
    if (known !== undefined) return known;
    if (this.#names.length === SPEAKERS_MAX) return NOBODY;
    this.#names.push(name);
    const code = this.#names.length + 1;
    this.#codeOf.set(name, code);
    return code;
  }
}

/** Answers whether a query names who said something, each name judged once. */
export function speakerMatcher(questionWords: ReadonlySet<string>): (speaker: string) => boolean {
  const judged = new Map<string, boolean>();
  return (speaker) => {
    let isNamed = judged.get(speaker);
    if (isNamed === undefined) {
      isNamed = namesSpeaker(questionWords, speaker);
      judged.set(speaker, isNamed);
    }
    return isNamed;
  };
}

function speakerIn(reader: SpaceReader, slot: number): string | undefined {
  const { text, hasMetadata } = reader.opening(slot, OPENING_BYTES);
  const said = speakerOf(text);
  if (said !== undefined || !hasMetadata) return said;
  const { detailsJson, metadataJson } = reader.memory(slot);
  for (const json of [detailsJson, metadataJson]) {
    if (json === undefined) continue;
    const facts = JSON.parse(json) as Record<string, unknown>;
    for (const field of FIELDS) {
      const value = facts[field];
      if (typeof value === "string" && value !== "") return value;
      // An episode names everyone who took part.
      if (Array.isArray(value) && value.length > 0) return value.join(", ");
    }
  }
  return undefined;
}
