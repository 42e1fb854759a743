/** What of the facts is looked at, and how keys change it. */

export const SECTION_NAMES = ["alerts", "operations", "workers", "memory", "mind", "nodes"] as const;
export type SectionName = (typeof SECTION_NAMES)[number];

/** `busy`: most work first; `slow`: longest wait first. */
export const SORTS = ["busy", "slow", "name"] as const;
export type Sort = (typeof SORTS)[number];

export type TopView = {
  readonly section: SectionName | "all";
  readonly sort: Sort;
  /** lines of a single section that lie above the first one shown */
  readonly scrolled: number;
  readonly isPaused: boolean;
  readonly isHelpShown: boolean;
};

export const FIRST_VIEW: TopView = {
  section: "all",
  sort: "busy",
  scrolled: 0,
  isPaused: false,
  isHelpShown: false,
};

const PLACES = ["all", ...SECTION_NAMES] as const;
const PAGE_LINES = 10;

/** What each key does, as the help shows it. */
export const KEYS: readonly (readonly [keys: string, about: string])[] = [
  ["q, Esc, Ctrl-C", "leave"],
  ["Tab, →, ←", "the next section, the one before"],
  [`0 to ${PLACES.length - 1}`, PLACES.join(", ")],
  ["↑, ↓, PgUp, PgDn", "scroll within a section"],
  ["s", `sort by the next of: ${SORTS.join(", ")}`],
  ["p, space", "pause, and go on"],
  ["r", "read now"],
  ["?, h", "this help, and back"],
];

/** The keys in what a terminal sent at once. */
export function keysOf(sent: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals send keys as escape sequences
  return sent.match(/\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\s\S]/gu) ?? [];
}

/** The view after a key; "leave" where that is what it means. */
export function press(view: TopView, key: string): TopView | "leave" {
  switch (key) {
    case "q":
    case "Q":
    case "\x1b":
    case "\x03":
      return "leave";
    case "\t":
    case "\x1b[C":
      return atPlace(view, PLACES.indexOf(view.section) + 1);
    case "\x1b[Z":
    case "\x1b[D":
      return atPlace(view, PLACES.indexOf(view.section) - 1);
    case "\x1b[B":
    case "j":
      return { ...view, scrolled: view.scrolled + 1 };
    case "\x1b[A":
    case "k":
      return { ...view, scrolled: Math.max(0, view.scrolled - 1) };
    case "\x1b[6~":
      return { ...view, scrolled: view.scrolled + PAGE_LINES };
    case "\x1b[5~":
      return { ...view, scrolled: Math.max(0, view.scrolled - PAGE_LINES) };
    case "s":
      return { ...view, sort: SORTS[(SORTS.indexOf(view.sort) + 1) % SORTS.length]! };
    case "p":
    case " ":
      return { ...view, isPaused: !view.isPaused };
    case "?":
    case "h":
      return { ...view, isHelpShown: !view.isHelpShown };
    default:
      return /^[0-6]$/.test(key) ? atPlace(view, Number(key)) : view;
  }
}

function atPlace(view: TopView, place: number): TopView {
  const section = PLACES[(place + PLACES.length) % PLACES.length]!;
  return { ...view, section, scrolled: 0, isHelpShown: false };
}
