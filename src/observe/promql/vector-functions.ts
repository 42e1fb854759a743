/** Functions of one number, applied to each element of a vector. Times are read in UTC. */

const sign = (value: number): number => (value > 0 ? 1 : value < 0 ? -1 : value);
const date = (seconds: number): Date => new Date(Math.trunc(seconds) * 1000);

/** Half goes up, also below zero. A multiple is divided by its inverse, as Prometheus does, to round as it does. */
export function roundTo(value: number, multiple: number): number {
  const inverse = 1 / multiple;
  return Math.floor(value * inverse + 0.5) / inverse;
}

export const VALUE_FUNCTIONS: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sqrt: Math.sqrt,
  sgn: sign,
  deg: (value) => (value * 180) / Math.PI,
  rad: (value) => (value * Math.PI) / 180,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
};

export const DATE_FUNCTIONS: Readonly<Record<string, (seconds: number) => number>> = {
  minute: (seconds) => date(seconds).getUTCMinutes(),
  hour: (seconds) => date(seconds).getUTCHours(),
  day_of_month: (seconds) => date(seconds).getUTCDate(),
  day_of_week: (seconds) => date(seconds).getUTCDay(),
  day_of_year: (seconds) => {
    const day = date(seconds);
    return (
      (Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()) -
        Date.UTC(day.getUTCFullYear(), 0, 0)) /
      86_400_000
    );
  },
  days_in_month: (seconds) => {
    const day = date(seconds);
    return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
  },
  month: (seconds) => date(seconds).getUTCMonth() + 1,
  year: (seconds) => date(seconds).getUTCFullYear(),
};
