/**
 * What each UTF-16 code unit means to the segmenter: one 16-bit entry per unit of the basic plane.
 *
 *   0               breaks words: spaces, punctuation, symbols
 *   IS_DENSE        a script written without spaces (Han, kana, Hangul, Thai, …): taken as bigrams
 *   IS_APOSTROPHE   ' ’ ʼ: joins letters, breaks otherwise
 *   IS_UNSETTLED    the text must be brought to NFKC first (marks, full-width forms, ligatures)
 *   IS_SURROGATE    half of a character beyond the basic plane
 *   else            a letter or digit: the entry is its lower-case form
 *
 * Blocks of 256 are filled when first met, so a text in English never pays for Greek: asking the regular
 * expressions for all 65,536 takes 20-30 ms, for one block 0.1 ms. The table takes 128 KiB a thread.
 */

export const IS_BREAK = 0;
export const IS_DENSE = 1;
export const IS_APOSTROPHE = 2;
export const IS_UNSETTLED = 3;
export const IS_SURROGATE = 4;
/** entries above this are lower-case code units */
export const LAST_MARKER = 4;

const BLOCK = 256;
const APOSTROPHES = new Set([0x27, 0x2019, 0x02bc, 0xff07]);
const LETTER_OR_DIGIT = /^[\p{L}\p{N}]$/u;
const MARK = /^\p{M}$/u;
const DENSE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々]$/u;

const entries = new Uint16Array(65_536);
const filled = new Uint8Array(65_536 / BLOCK);

/** The entry of a code unit, 0 to 65,535. */
export function classOf(codeUnit: number): number {
  if (filled[codeUnit >>> 8] === 0) fillBlock(codeUnit >>> 8);
  return entries[codeUnit]!;
}

/** The entry of a character beyond the basic plane: IS_BREAK, IS_DENSE, IS_UNSETTLED or, for a letter, IS_SURROGATE. */
export function classOfAstral(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  if (DENSE.test(character)) return IS_DENSE;
  if (!LETTER_OR_DIGIT.test(character)) return IS_BREAK;
  return character.normalize("NFKC") === character ? IS_SURROGATE : IS_UNSETTLED;
}

function fillBlock(blockIndex: number): void {
  const first = blockIndex * BLOCK;
  for (let codeUnit = first; codeUnit < first + BLOCK; codeUnit++) entries[codeUnit] = entryOf(codeUnit);
  filled[blockIndex] = 1;
}

function entryOf(codeUnit: number): number {
  if (codeUnit >= 0xd800 && codeUnit <= 0xdfff) return IS_SURROGATE;
  if (APOSTROPHES.has(codeUnit)) return IS_APOSTROPHE;
  const character = String.fromCharCode(codeUnit);
  const settled = character.normalize("NFKC") === character;
  // Marks of scripts without spaces stay where they are: they are part of the bigrams.
  if (DENSE.test(character)) return settled ? IS_DENSE : IS_UNSETTLED;
  if (MARK.test(character)) return markEntry(character, codeUnit);
  if (!LETTER_OR_DIGIT.test(character)) return IS_BREAK;
  if (!settled) return IS_UNSETTLED;
  if (codeUnit === 0x03c2) return 0x03c3; // final sigma is a sigma
  const lower = character.toLowerCase();
  return lower.charCodeAt(0);
}

/** Combining diacritics ask for composition; the vowel signs of Indic or Arabic script are letters to us. */
function markEntry(character: string, codeUnit: number): number {
  return /^[\u0300-\u036f]$/u.test(character) ? IS_UNSETTLED : codeUnit;
}
