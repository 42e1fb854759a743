/**
 * What a text is about by name: words that are capitalised inside a sentence, and numbers of three digits or more.
 *
 * A word at the start of a sentence is capitalised whatever it is, so it does not count; neither does the name
 * of the speaker in front, who is in nearly every memory, nor what the writing of a language capitalises by rule
 * (German nouns), where this says little.
 */
import { type AnalysedWord, analyseWords } from "./analyse.ts";
import type { Language } from "./languages.ts";
import { nameWords, speakerOf } from "./speaker.ts";

const CAPITALISED = /^\p{Lu}[\p{L}\p{M}'’]+$/u;
const NUMBER = /^\d{3,}$/;
/** Languages that write every noun with a capital. */
const NOUN_CAPITALS: ReadonlySet<Language> = new Set<Language>(["german"]);
/** Ends a sentence, or opens a quotation or bracket, before a word. */
const SENTENCE_START = /(?:^|[.!?…:;([{"“”«»\n]\s*|[-–—*•]\s+)$/u;

/** The entities of a text as terms of the word index, each once, at most `countMax`. */
export function entitiesIn(text: string, language: Language, countMax: number): AnalysedWord[] {
  const speaker = nameWords(speakerOf(text) ?? "");
  const found = new Map<string, AnalysedWord>();
  let at = 0;
  for (const word of analyseWords(text, language)) {
    const start = text.indexOf(word.surface, at);
    // The analyser may have brought the text to another form, in which this word stands elsewhere.
    if (start < 0) continue;
    at = start + word.surface.length;
    if (word.term === undefined || found.has(word.term)) continue;
    const isName =
      CAPITALISED.test(word.surface) &&
      !NOUN_CAPITALS.has(language) &&
      !speaker.has(word.surface.toLowerCase()) &&
      !SENTENCE_START.test(text.slice(Math.max(0, start - 4), start));
    if (!isName && !NUMBER.test(word.surface)) continue;
    found.set(word.term, word);
    if (found.size === countMax) break;
  }
  return [...found.values()];
}
