/**
 * Finds JSON that is nested too deeply, before it is parsed.
 *
 * JSON.parse of JavaScriptCore keeps its own stack, so depth does not overflow it; but 30 MB of "[" kept it busy for
 * more than ten seconds and left 800 MB behind, and what walks the value afterwards does overflow.
 *
 * Most bodies hold fewer brackets than the limit allows levels, and a few native searches show it. The others are
 * scanned, jumping over strings, where brackets mean nothing, and over arrays of numbers, which are most of a batch
 * with embeddings in JSON: a jump is a native search, the rest about 1 ns a character.
 */

const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Whether arrays and objects in `text` are nested more than `levelsMax` deep. Text that is no JSON may answer either. */
export function nestedDeeperThan(text: string, levelsMax: number): boolean {
  if (opensAtMost(text, levelsMax)) return false;
  let depth = 0;
  const numbers = new NumberArrays(text);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Every bracket and the quote are found by this test alone; digits, commas and letters fail its first half.
    if (unit === QUOTE) {
      at = endOfString(text, at);
    } else if (unit >= OPEN_ARRAY) {
      if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) {
        depth++;
        if (depth > levelsMax) return true;
        if (unit === OPEN_ARRAY) at = numbers.end(at);
      } else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) depth--;
    }
  }
  return false;
}

/**
 * Finds where arrays of numbers end. The next places of what else an array may hold are remembered, so that each
 * search goes on where the one before ended, and all of them together pass over the text once.
 */
class NumberArrays {
  readonly #text: string;
  #quote = -1;
  #array = -1;
  #object = -1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The place before the closing bracket of the array that opens at `start`, or `start` if it holds more than numbers. */
  end(start: number): number {
    const text = this.#text;
    const first = text.charCodeAt(start + 1);
    if (first !== MINUS && !(first >= ZERO && first <= NINE)) return start;
    const close = text.indexOf("]", start + 1);
    if (close < 0) return start;
    if (this.#quote <= start) this.#quote = placeOf(text, '"', start + 1);
    if (this.#array <= start) this.#array = placeOf(text, "[", start + 1);
    if (this.#object <= start) this.#object = placeOf(text, "{", start + 1);
    return this.#quote < close || this.#array < close || this.#object < close ? start : close - 1;
  }
}

/** Where `what` comes next; beyond the text where it does not. */
function placeOf(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at;
}

/** Whether the text has at most `countMax` opening brackets, counting those in strings too. */
function opensAtMost(text: string, countMax: number): boolean {
  let count = 0;
  for (const bracket of ["[", "{"]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      count++;
      if (count > countMax) return false;
    }
  }
  return true;
}

/** Where the string that begins at `start` ends: the index of its closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    // An even number of backslashes quote each other, and the quote stands free.
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
