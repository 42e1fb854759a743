/**
 * Stems English words: the Snowball "english" algorithm (Porter2), as its authors publish it in version 3.
 *
 * Written here because the kept JavaScript library of stemmers has Porter's first algorithm for English, in
 * regular expressions. Terms in the code are those of snowballstem.org: R1 and R2 are the regions behind
 * the first and second vowel-consonant pair; a `Y` is a y that acts as a consonant.
 *
 * Input is lower case; anything but a-z counts as a consonant.
 */

const EXCEPTIONS: Readonly<Record<string, string>> = {
  skis: "ski",
  skies: "sky",
  idly: "idl",
  gently: "gentl",
  ugly: "ugli",
  early: "earli",
  only: "onli",
  singly: "singl",
  sky: "sky",
  news: "news",
  howe: "howe",
  atlas: "atlas",
  cosmos: "cosmos",
  bias: "bias",
  andes: "andes",
};
const R1_PREFIX = /^(?:arsen|commun|emerg|gener|inter|later|organ|past|univers)/;
/** words on -ing that are no participles: evening, canning, inning, earring, herring, outing */
const ING_NOUN = /^(?:even|cann|inn|earr|herr|out)$/;
/** proceed, succeed, exceed and what is made of them */
const EED_VERB = /^(?:succ|proc|exc)$/;
const DOUBLE = /(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/;
const LI_ENDING = /[cdeghkmnrt]$/;

/** longest suffixes first, so that the first that fits is the longest */
const STEP_2: readonly (readonly [string, string])[] = [
  ["ization", "ize"],
  ["ational", "ate"],
  ["iveness", "ive"],
  ["fulness", "ful"],
  ["ousness", "ous"],
  ["biliti", "ble"],
  ["tional", "tion"],
  ["lessli", "less"],
  ["fulli", "ful"],
  ["entli", "ent"],
  ["ousli", "ous"],
  ["aliti", "al"],
  ["iviti", "ive"],
  ["alism", "al"],
  ["ation", "ate"],
  ["ogist", "og"],
  ["enci", "ence"],
  ["anci", "ance"],
  ["abli", "able"],
  ["alli", "al"],
  ["izer", "ize"],
  ["ator", "ate"],
  ["bli", "ble"],
  ["ogi", "og"],
  ["li", ""],
];
const STEP_3: readonly (readonly [string, string])[] = [
  ["ational", "ate"],
  ["tional", "tion"],
  ["alize", "al"],
  ["icate", "ic"],
  ["iciti", "ic"],
  ["ative", ""],
  ["ical", "ic"],
  ["ness", ""],
  ["ful", ""],
];
const STEP_4: readonly string[] =
  "ement ment ance ence able ible ant ent ism ate iti ous ive ize ion al er ic".split(" ");

/** The stem of a lower-case English word. */
export function stemEnglish(given: string): string {
  const exception = EXCEPTIONS[given];
  if (exception !== undefined && Object.hasOwn(EXCEPTIONS, given)) return exception;
  if (given.length <= 2) return given;

  let word = given.charCodeAt(0) === 0x27 ? given.slice(1) : given;
  word = markConsonantY(word);
  const prefix = R1_PREFIX.exec(word);
  const r1 = prefix === null ? regionAfter(word, 0) : prefix[0].length;
  const r2 = regionAfter(word, r1);

  word = step1a(word);
  word = step1b(word, r1);
  if (word.length > 2 && /[yY]$/.test(word) && !isVowelAt(word, word.length - 2))
    word = `${word.slice(0, -1)}i`;
  word = step2(word, r1);
  word = step3(word, r1, r2);
  word = step4(word, r2);
  word = step5(word, r1, r2);
  return word.includes("Y") ? word.replaceAll("Y", "y") : word;
}

function isVowelAt(word: string, index: number): boolean {
  switch (word.charCodeAt(index)) {
    case 0x61: // a
    case 0x65: // e
    case 0x69: // i
    case 0x6f: // o
    case 0x75: // u
    case 0x79: // y, unless marked Y
      return true;
    default:
      return false;
  }
}

function markConsonantY(word: string): string {
  if (!word.includes("y")) return word;
  let marked = "";
  for (let i = 0; i < word.length; i++) {
    const isConsonant = word[i] === "y" && (i === 0 || isVowelAt(marked, i - 1));
    marked += isConsonant ? "Y" : word[i];
  }
  return marked;
}

/** Where the region behind the first consonant after a vowel starts, looking from `from` on. */
function regionAfter(word: string, from: number): number {
  let i = from;
  while (i < word.length && !isVowelAt(word, i)) i++;
  while (i < word.length && isVowelAt(word, i)) i++;
  return i < word.length ? i + 1 : word.length;
}

function hasVowelBefore(word: string, end: number): boolean {
  for (let i = 0; i < end; i++) if (isVowelAt(word, i)) return true;
  return false;
}

function endsInShortSyllable(word: string): boolean {
  const last = word.length - 1;
  if (word.endsWith("past")) return true;
  if (last < 1 || isVowelAt(word, last) || !isVowelAt(word, last - 1)) return false;
  if (last === 1) return true;
  return !isVowelAt(word, last - 2) && !/[wxY]$/.test(word);
}

function step1a(given: string): string {
  const word = given.replace(/(?:'s'|'s|')$/, "");
  if (word.endsWith("sses")) return word.slice(0, -2);
  if (word.endsWith("ied") || word.endsWith("ies")) return word.slice(0, word.length > 4 ? -2 : -1);
  if (word.endsWith("us") || word.endsWith("ss") || !word.endsWith("s")) return word;
  return hasVowelBefore(word, word.length - 2) ? word.slice(0, -1) : word;
}

function step1b(word: string, r1: number): string {
  const eed = /eed(?:ly)?$/.exec(word);
  if (eed !== null) {
    return eed.index >= r1 && !EED_VERB.test(word.slice(0, eed.index))
      ? `${word.slice(0, eed.index)}ee`
      : word;
  }
  const suffix = /(?:ed|ing)(?:ly)?$/.exec(word);
  if (suffix === null) return word;
  let stem = word.slice(0, suffix.index);
  if (suffix[0] === "ing") {
    if (ING_NOUN.test(stem)) return word;
    // dying, lying, tying
    if (stem.length === 2 && /y$/i.test(stem) && !isVowelAt(stem, 0)) return `${stem.slice(0, 1)}ie`;
  }
  if (!hasVowelBefore(stem, stem.length)) return word;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (DOUBLE.test(stem)) {
    // egg, add, off keep their double letter
    if (stem.length === 3 && /^[aeo]/.test(stem)) return stem;
    stem = stem.slice(0, -1);
    return stem;
  }
  return stem.length === r1 && endsInShortSyllable(stem) ? `${stem}e` : stem;
}

function step2(word: string, r1: number): string {
  for (const [suffix, replacement] of STEP_2) {
    if (!word.endsWith(suffix)) continue;
    const start = word.length - suffix.length;
    if (start < r1) return word;
    const stem = word.slice(0, start);
    if (suffix === "ogi" && !stem.endsWith("l")) return word;
    if (suffix === "li" && !LI_ENDING.test(stem)) return word;
    return stem + replacement;
  }
  return word;
}

function step3(word: string, r1: number, r2: number): string {
  for (const [suffix, replacement] of STEP_3) {
    if (!word.endsWith(suffix)) continue;
    const start = word.length - suffix.length;
    if (start < r1 || (suffix === "ative" && start < r2)) return word;
    return word.slice(0, start) + replacement;
  }
  return word;
}

function step4(word: string, r2: number): string {
  for (const suffix of STEP_4) {
    if (!word.endsWith(suffix)) continue;
    const start = word.length - suffix.length;
    if (start < r2) return word;
    const stem = word.slice(0, start);
    return suffix === "ion" && !/[st]$/.test(stem) ? word : stem;
  }
  return word;
}

function step5(word: string, r1: number, r2: number): string {
  const start = word.length - 1;
  if (word.endsWith("e")) {
    const stem = word.slice(0, -1);
    return start >= r2 || (start >= r1 && !endsInShortSyllable(stem)) ? stem : word;
  }
  return word.endsWith("ll") && start >= r2 ? word.slice(0, -1) : word;
}
