/**
 * The times a query speaks of: "in August 2023", "on 3 June", "2023-05-03", "2021".
 *
 * A memory has a time, and a question that names one is about the memories of that time, whose words seldom
 * repeat it. So recall compares the times named with those of the candidates (`engine/recall/fuse.ts`), as
 * evidence beside words and vectors, not as a filter: the memory of the 5th may tell what happened on the 3rd.
 *
 * Month names of the space's language come from `Intl`, in the form with a day too ("3 января"). Days and
 * months are taken as UTC. A bare "may" or "march" is a verb until a preposition or a number stands with it.
 */
import type { Language } from "./languages.ts";

/** A span of time, or a span that comes back every year (with the year 2000 as its place holder). */
export type TimeSpan = { readonly fromMs: number; readonly toMs: number; readonly yearly: boolean };

const DAY_MS = 86_400_000;
/** memories a week outside a span count for 1/e of those inside */
const FADING_MS = 7 * DAY_MS;
const SPANS_MAX = 8;
const YEAR_MIN = 1900;
const YEAR_MAX = 2199;
/** a leap year, so that 29 February exists in it */
const ANY_YEAR = 2000;
const ANY_YEAR_MS = 366 * DAY_MS;

/** The times named in `text`; empty for most texts. A question costs about 2 µs. */
export function timesMentioned(text: string, language: Language): TimeSpan[] {
  const months = monthsOf(language);
  const spans: TimeSpan[] = [];
  if (!/\d/.test(text) && !months.some.test(text)) return spans;
  let rest = text;
  const take = (pattern: RegExp, spanOf: (groups: readonly string[]) => TimeSpan | undefined): void => {
    rest = rest.replace(pattern, (...parts) => {
      const groups = parts.slice(0, -2) as string[];
      const span = spanOf(groups);
      if (span === undefined) return groups[0]!;
      if (spans.length < SPANS_MAX) spans.push(span);
      return " ; ";
    });
  };
  take(/(?<![\d-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])/g, ([, y, m, d]) => spanOfDate(+y!, +m! - 1, +d!));
  take(/(?<![\d-])(\d{4})-(\d{1,2})(?![\d-])/g, ([, y, m]) => spanOfDate(+y!, +m! - 1, undefined));
  if (months.some.test(text)) {
    take(months.dayMonth, ([, d, m, y]) => spanOfDate(yearOf(y), months.indexOf(m!), +d!));
    take(months.monthDay, ([, m, d, y]) => spanOfDate(yearOf(y), months.indexOf(m!), +d!));
    take(months.monthYear, ([, m, y]) => spanOfDate(+y!, months.indexOf(m!), undefined));
    take(months.monthAlone, ([, m]) => spanOfDate(undefined, months.indexOf(m!), undefined));
  }
  take(/(?<![\d.,:/-])(\d{4})(?![\d:/-]|[.,]\d)/g, ([, y]) => spanOfYear(+y!));
  return spans;
}

/**
 * How near a memory's time is to the nearest of the times named: 1 inside it, falling by e every week away.
 *
 * @param spans as `timesMentioned` gives them; at least one
 */
export function closeness(spans: readonly TimeSpan[], timestampMs: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const span of spans) nearest = Math.min(nearest, distanceMs(span, timestampMs));
  return Math.exp(-nearest / FADING_MS);
}

function distanceMs(span: TimeSpan, timestampMs: number): number {
  const at = span.yearly ? inAnyYear(timestampMs) : timestampMs;
  if (at >= span.fromMs && at < span.toMs) return 0;
  const [before, behind] = [span.fromMs - at, at - span.toMs];
  if (!span.yearly) return Math.max(before, behind);
  // In a span that comes back, the last of December is a day from January.
  return Math.min(before > 0 ? before : before + ANY_YEAR_MS, behind > 0 ? behind : behind + ANY_YEAR_MS);
}

function inAnyYear(timestampMs: number): number {
  const date = new Date(timestampMs);
  return date.setUTCFullYear(ANY_YEAR);
}

function yearOf(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}

function spanOfDate(year: number | undefined, month: number, day: number | undefined): TimeSpan | undefined {
  if (year !== undefined && (year < YEAR_MIN || year > YEAR_MAX)) return undefined;
  if (month < 0 || month > 11) return undefined;
  const inYear = year ?? ANY_YEAR;
  const fromMs = Date.UTC(inYear, month, day ?? 1);
  if (new Date(fromMs).getUTCMonth() !== month) return undefined; // 31 February
  const toMs = day === undefined ? Date.UTC(inYear, month + 1, 1) : fromMs + DAY_MS;
  return { fromMs, toMs, yearly: year === undefined };
}

function spanOfYear(year: number): TimeSpan | undefined {
  if (year < YEAR_MIN || year > YEAR_MAX) return undefined;
  return { fromMs: Date.UTC(year, 0, 1), toMs: Date.UTC(year + 1, 0, 1), yearly: false };
}

type Months = {
  /** whether a text names a month at all */
  readonly some: RegExp;
  readonly dayMonth: RegExp;
  readonly monthDay: RegExp;
  readonly monthYear: RegExp;
  readonly monthAlone: RegExp;
  readonly indexOf: (name: string) => number;
};

const LOCALES: Readonly<Record<Language, string>> = {
  english: "en",
  danish: "da",
  dutch: "nl",
  finnish: "fi",
  french: "fr",
  german: "de",
  italian: "it",
  norwegian: "nb",
  portuguese: "pt",
  russian: "ru",
  spanish: "es",
  swedish: "sv",
  none: "en",
};

/** what may stand before a month that is meant as one */
const BEFORE_MONTH =
  "in|during|since|until|till|from|by|of|last|this|next|early|late|mid|im|seit|vom|bis|en|desde|depuis|jusqu'en|nel|da|em|desde|sinds|sedan|i|fra|til|в|с|до";

const monthsByLanguage = new Map<Language, Months>();

function monthsOf(language: Language): Months {
  let months = monthsByLanguage.get(language);
  if (months === undefined) {
    months = compileMonths(language);
    monthsByLanguage.set(language, months);
  }
  return months;
}

function compileMonths(language: Language): Months {
  const indexes = new Map<string, number>();
  const put = (name: string, month: number): void => {
    const key = name.toLowerCase().replace(/\.$/, "").trim();
    if (key.length >= 3 && /^\p{L}+$/u.test(key)) indexes.set(key, month);
  };
  const locale = LOCALES[language];
  const forms: Intl.DateTimeFormatOptions[] = [
    { month: "long" },
    { month: "short" },
    { month: "long", day: "numeric" },
    { month: "short", day: "numeric" },
  ];
  for (const form of forms) {
    const format = new Intl.DateTimeFormat(locale, { ...form, timeZone: "UTC" });
    for (let month = 0; month < 12; month++) {
      for (const part of format.formatToParts(Date.UTC(2001, month, 5))) {
        if (part.type === "month") put(part.value, month);
      }
    }
  }
  const names = [...indexes.keys()].sort((a, b) => b.length - a.length).join("|");
  const month = `(${names})\\.?`;
  const day = "(\\d{1,2})(?:st|nd|rd|th|er|º|ª|\\.)?";
  const year = "(\\d{4})(?!\\d)";
  const joint = "(?:\\s+(?:of|de|del|di|the))?\\s+";
  return {
    some: new RegExp(`(?<!\\p{L})(?:${names})(?!\\p{L})`, "iu"),
    dayMonth: new RegExp(`(?<![\\p{L}\\d])${day}${joint}${month}(?!\\p{L})(?:,?${joint}${year})?`, "giu"),
    monthDay: new RegExp(`(?<!\\p{L})${month}\\s+(?:the\\s+)?${day}(?![\\p{L}\\d])(?:,?\\s+${year})?`, "giu"),
    monthYear: new RegExp(`(?<!\\p{L})${month},?${joint}${year}`, "giu"),
    monthAlone: new RegExp(`(?<!\\p{L})(?:${BEFORE_MONTH})\\s+${month}(?!\\p{L})`, "giu"),
    indexOf: (name) => indexes.get(name.toLowerCase()) ?? -1,
  };
}
