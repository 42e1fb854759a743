/**
 * The languages a space can be set to, and what each brings: stemmer, stop words, what an apostrophe does.
 *
 * English stems by our own Porter2 (`english-stemmer.ts`); the others by `@orama/stemmers`, which carries the
 * Snowball algorithms in JavaScript, with nothing to download and nothing native. `none` keeps words as they
 * are and drops none of them: for code, identifiers and languages that are not in the list.
 */
import { stemmer as stemDanish } from "@orama/stemmers/danish";
import { stemmer as stemDutch } from "@orama/stemmers/dutch";
import { stemmer as stemFinnish } from "@orama/stemmers/finnish";
import { stemmer as stemFrench } from "@orama/stemmers/french";
import { stemmer as stemGerman } from "@orama/stemmers/german";
import { stemmer as stemItalian } from "@orama/stemmers/italian";
import { stemmer as stemNorwegian } from "@orama/stemmers/norwegian";
import { stemmer as stemPortuguese } from "@orama/stemmers/portuguese";
import { stemmer as stemRussian } from "@orama/stemmers/russian";
import { stemmer as stemSpanish } from "@orama/stemmers/spanish";
import { stemmer as stemSwedish } from "@orama/stemmers/swedish";
import { stopwords as stopDanish } from "@orama/stopwords/danish";
import { stopwords as stopDutch } from "@orama/stopwords/dutch";
import { stopwords as stopFinnish } from "@orama/stopwords/finnish";
import { stopwords as stopFrench } from "@orama/stopwords/french";
import { stopwords as stopGerman } from "@orama/stopwords/german";
import { stopwords as stopItalian } from "@orama/stopwords/italian";
import { stopwords as stopNorwegian } from "@orama/stopwords/norwegian";
import { stopwords as stopPortuguese } from "@orama/stopwords/portuguese";
import { stopwords as stopRussian } from "@orama/stopwords/russian";
import { stopwords as stopSpanish } from "@orama/stopwords/spanish";
import { stopwords as stopSwedish } from "@orama/stopwords/swedish";
import { stemEnglish } from "./english-stemmer.ts";
import { ENGLISH_STOP_WORDS } from "./english-stop-words.ts";

/** Every language there is a setting for; the order is that of the configuration reference. */
export const LANGUAGES = [
  "english",
  "danish",
  "dutch",
  "finnish",
  "french",
  "german",
  "italian",
  "norwegian",
  "portuguese",
  "russian",
  "spanish",
  "swedish",
  "none",
] as const;

export type Language = (typeof LANGUAGES)[number];

export type LanguageRules = {
  readonly stem: (word: string) => string;
  /** lower case, with diacritics */
  readonly stopWords: readonly string[];
  /**
   * possessive  cut a final 's, keep other apostrophes until stop words are sorted out (English)
   * elision     what stands before the first apostrophe is an article or pronoun: cut it (l'homme, dell'arte)
   * join        drop the apostrophe
   */
  readonly apostrophe: "possessive" | "elision" | "join";
};

const asItIs = (word: string): string => word;

export const LANGUAGE_RULES: Readonly<Record<Language, LanguageRules>> = {
  english: { stem: stemEnglish, stopWords: ENGLISH_STOP_WORDS, apostrophe: "possessive" },
  danish: { stem: stemDanish, stopWords: stopDanish, apostrophe: "join" },
  dutch: { stem: stemDutch, stopWords: stopDutch, apostrophe: "join" },
  finnish: { stem: stemFinnish, stopWords: stopFinnish, apostrophe: "join" },
  french: { stem: stemFrench, stopWords: stopFrench, apostrophe: "elision" },
  german: { stem: stemGerman, stopWords: stopGerman, apostrophe: "join" },
  italian: { stem: stemItalian, stopWords: stopItalian, apostrophe: "elision" },
  norwegian: { stem: stemNorwegian, stopWords: stopNorwegian, apostrophe: "join" },
  portuguese: { stem: stemPortuguese, stopWords: stopPortuguese, apostrophe: "elision" },
  russian: { stem: stemRussian, stopWords: stopRussian, apostrophe: "join" },
  spanish: { stem: stemSpanish, stopWords: stopSpanish, apostrophe: "join" },
  swedish: { stem: stemSwedish, stopWords: stopSwedish, apostrophe: "join" },
  none: { stem: asItIs, stopWords: [], apostrophe: "join" },
};

export function isLanguage(name: string): name is Language {
  return Object.hasOwn(LANGUAGE_RULES, name);
}
