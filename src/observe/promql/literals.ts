/** Numbers, durations and texts as PromQL writes them, which is mostly as Go writes them. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const DURATION_UNITS = ["y", "w", "d", "h", "m", "s", "ms"] as const;

/** A duration such as `1h30m` in ms; undefined when it is none. */
export function durationMs(text: string): number | undefined {
  const parts = text === "" ? null : DURATION.exec(text);
  if (parts === null) return undefined;
  let ms = 0;
  for (const [index, unit] of DURATION_UNITS.entries()) {
    const part = parts[index + 1];
    if (part !== undefined) ms += Number(part) * UNIT_MS[unit]!;
  }
  return ms;
}

/** A number without a sign: decimal, hexadecimal, octal with a leading 0, `Inf`, `NaN`, or a duration in seconds. */
export function numberValue(text: string): number | undefined {
  const plain = text.replaceAll("_", "").toLowerCase();
  if (plain === "inf") return Number.POSITIVE_INFINITY;
  if (plain === "nan") return Number.NaN;
  if (/^0[0-7]+$/.test(plain)) return Number.parseInt(plain, 8);
  const value = Number(plain);
  if (plain !== "" && !Number.isNaN(value)) return value;
  const ms = durationMs(plain);
  return ms === undefined ? undefined : ms / 1000;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** A quoted text's content; undefined when it is not quoted rightly. */
export function stringValue(text: string): string | undefined {
  const quote = text[0];
  if (text.length < 2 || text.at(-1) !== quote) return undefined;
  const body = text.slice(1, -1);
  if (quote === "`") return body;
  let isBad = false;
  const value = body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]?))/g,
    (_, x: string, u: string, long: string, octal: string, one: string) => {
      const hex = x ?? u ?? long;
      const code = hex === undefined ? octal && Number.parseInt(octal, 8) : Number.parseInt(hex, 16);
      if (typeof code === "number" && code <= 0x10ffff) return String.fromCodePoint(code);
      const plain = ESCAPES[one];
      if (plain === undefined) isBad = true;
      return plain ?? "";
    },
  );
  return isBad || body.includes("\n") ? undefined : value;
}
