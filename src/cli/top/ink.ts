/** How words of a frame stand out: in colours, or not at all where none are wanted. */

export type Ink = {
  readonly title: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
};

export const PLAIN: Ink = {
  title: String,
  dim: String,
  good: String,
  warn: String,
  bad: String,
};

export const COLOURED: Ink = {
  title: sgr(1),
  dim: sgr(2),
  good: sgr(32),
  warn: sgr(33),
  bad: sgr(31),
};

function sgr(code: number): (text: string) => string {
  return (text) => (text === "" ? "" : `\x1b[${code}m${text}\x1b[0m`);
}
