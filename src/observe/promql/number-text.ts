/** Numbers as Go prints them, which is how Prometheus's replies and label values show them. */

/** A sample's value: plain up to 1e21 and down to 1e-6, with an exponent of two digits at least beyond. */
export function valueText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const text = String(value);
  return text.includes("e") ? text.replace(/e([+-])(\d)$/, "e$10$2") : text;
}

/** A value without an exponent, however long: what count_values makes a label of. */
export function plainValueText(value: number): string {
  const text = valueText(value);
  const parts = /^(-?)(\d+)(?:\.(\d+))?e([+-])(\d+)$/.exec(text);
  if (parts === null) return text;
  const [, minus, whole, fraction = "", direction, digits] = parts;
  const places = Number(digits);
  if (direction === "-") return `${minus}0.${"0".repeat(places - 1)}${whole}${fraction}`;
  return `${minus}${whole}${fraction.padEnd(places, "0")}`;
}

/** A time in ms as seconds, with three decimals unless it is a whole second. */
export function timeTextSeconds(ms: number): string {
  const rounded = Math.round(ms);
  const seconds = Math.trunc(rounded / 1000);
  const rest = Math.abs(rounded % 1000);
  const minus = rounded < 0 && seconds === 0 ? "-" : "";
  return rest === 0 ? `${minus}${seconds}` : `${minus}${seconds}.${String(rest).padStart(3, "0")}`;
}
