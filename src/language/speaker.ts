/**
 * Who says a text, where it says so itself: "Ada: we moved to Lisbon", as transcripts and chats have it.
 *
 * A speaker is up to three capitalised words before a colon at the start, or one of the roles that chats with
 * machines have. A heading such as "Note: …" is taken for one, too, which does no harm: nobody asks what it said.
 */
import { classOf, IS_APOSTROPHE, IS_BREAK, LAST_MARKER } from "./char-class.ts";

const LABEL =
  /^\s*((?:[\p{Lu}\p{Lo}][\p{L}\p{M}\p{N}'’.-]*)(?: [\p{Lu}\p{Lo}][\p{L}\p{M}\p{N}'’.-]*){0,2}|user|assistant|system|human|agent)(?:\s*:\s|\s*：)/u;
/** Longer than any label, in UTF-16 units. */
export const SPEAKER_UNITS_MAX = 64;

/** The name at the start of a text; undefined where there is none. */
export function speakerOf(text: string): string | undefined {
  const start = text.slice(0, SPEAKER_UNITS_MAX);
  // Most texts have no colon there, and the expression costs a microsecond to find that out.
  return start.includes(":") || start.includes("：") ? LABEL.exec(start)?.[1] : undefined;
}

/** The words of a name or a question, in lower case, for comparing one with the other; some 20 ns a letter. */
export function nameWords(text: string): Set<string> {
  const words = new Set<string>();
  let word = "";
  for (let i = 0; i < text.length; i++) {
    const codeUnit = text.charCodeAt(i);
    const entry = classOf(codeUnit);
    if (entry > LAST_MARKER) word += String.fromCharCode(entry);
    else if (entry === IS_BREAK || entry === IS_APOSTROPHE) {
      if (word !== "") words.add(word);
      word = "";
    } else word += String.fromCharCode(codeUnit);
  }
  if (word !== "") words.add(word);
  return words;
}

/** Whether a question names a speaker: with any word of the name that has two letters or more. */
export function namesSpeaker(questionWords: ReadonlySet<string>, speaker: string): boolean {
  for (const word of nameWords(speaker)) if (word.length > 1 && questionWords.has(word)) return true;
  return false;
}
