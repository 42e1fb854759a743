/**
 * Who says a text, where it says so itself: "Ada: we moved to Lisbon", as transcripts and chats have it.
 *
 * A speaker is up to three capitalised words before a colon at the start, or one of the roles that chats with
 * machines have. A heading such as "Note: …" is taken for one, too, which does no harm: nobody asks what it said.
 */

const LABEL =
  /^\s*((?:[\p{Lu}\p{Lo}][\p{L}\p{M}\p{N}'’.-]*)(?: [\p{Lu}\p{Lo}][\p{L}\p{M}\p{N}'’.-]*){0,2}|user|assistant|system|human|agent)(?:\s*:\s|\s*：)/u;
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu;
/** Longer than any label, in UTF-16 units. */
export const SPEAKER_UNITS_MAX = 64;

/** The name at the start of a text; undefined where there is none. */
export function speakerOf(text: string): string | undefined {
  return LABEL.exec(text.slice(0, SPEAKER_UNITS_MAX))?.[1];
}

/** The words of a name or a question, in lower case, for comparing one with the other. */
export function nameWords(text: string): Set<string> {
  return new Set(text.toLowerCase().match(WORD) ?? []);
}

/** Whether a question names a speaker: with any word of the name that has two letters or more. */
export function namesSpeaker(questionWords: ReadonlySet<string>, speaker: string): boolean {
  for (const word of nameWords(speaker)) if (word.length > 1 && questionWords.has(word)) return true;
  return false;
}
