/**
 * Text in the cells of a terminal: some characters take two, some none, and none may move the cursor.
 *
 * Widths are those of `Bun.stringWidth`, which passes over colours.
 */

export type Column = {
  readonly head: string;
  readonly width: number;
  /** numbers stand at the right */
  readonly isNumber?: boolean;
};

const GAP = "  ";
const CUT = "…";
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Without what a terminal would obey: controls, and marks that turn the direction of text. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, " ");
}

/** The text in `width` cells at most; what was cut ends in "…". @param text clean and without colours */
export function fit(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  if (width < 1) return "";
  let kept = "";
  for (const { segment } of graphemes.segment(text)) {
    if (Bun.stringWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return kept + CUT;
}

/** The text in exactly `width` cells. */
export function pad(text: string, width: number, isNumber = false): string {
  const fitted = fit(text, width);
  const blank = " ".repeat(Math.max(0, width - Bun.stringWidth(fitted)));
  return isNumber ? blank + fitted : fitted + blank;
}

/** The leading columns that fit into `width`. */
export function columnsWithin(columns: readonly Column[], width: number): Column[] {
  let used = -GAP.length;
  return columns.filter((column) => {
    used += GAP.length + column.width;
    return used <= width;
  });
}

export function row(columns: readonly Column[], cells: readonly string[]): string {
  return columns
    .map(({ width, isNumber }, i) => pad(cells[i] ?? "", width, isNumber))
    .join(GAP)
    .trimEnd();
}

/** Items one behind the other, in as many lines as they need; none is divided. */
export function flow(items: readonly string[], width: number): string[] {
  if (width < 1) return [];
  const lines: string[] = [];
  let line = "";
  for (const each of items) {
    const item = fit(each, width);
    const longer = line === "" ? item : `${line}   ${item}`;
    if (Bun.stringWidth(longer) <= width) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = item;
  }
  return line === "" ? lines : [...lines, line];
}
