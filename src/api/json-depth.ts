/**
 * Finds JSON that is nested too deeply, before it is parsed.
 *
 * JSON.parse of JavaScriptCore keeps its own stack, so depth does not overflow it; but 30 MB of "[" kept it busy for
 * more than ten seconds and left 800 MB behind, and what walks the value afterwards does overflow.
 *
 * Most bodies hold fewer brackets than the limit allows levels, and a few native searches show it. The others are
 * scanned, jumping over strings, where brackets mean nothing: about 1 ns for each character outside of strings.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Whether arrays and objects in `text` are nested more than `levelsMax` deep. Text that is no JSON may answer either. */
export function nestedDeeperThan(text: string, levelsMax: number): boolean {
  if (opensAtMost(text, levelsMax)) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Every bracket and the quote are found by this test alone; digits, commas and letters fail its first half.
    if (unit === QUOTE) {
      at = endOfString(text, at);
    } else if (unit >= OPEN_ARRAY) {
      if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) {
        depth++;
        if (depth > levelsMax) return true;
      } else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) depth--;
    }
  }
  return false;
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
