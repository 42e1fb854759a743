/** Numbers as people read them: few figures, and a unit that fits their size. */
import type { Unit } from "./panels.ts";

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"];
const THOUSANDS = ["", "k", "M", "G"];

export function formatValue(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return "–";
  switch (unit) {
    case "bytes":
      return scaled(value, 1024, BYTES, " ");
    case "seconds":
      return formatSeconds(value);
    case "per second":
      return `${scaled(value, 1000, THOUSANDS, "")}/s`;
    case "percent":
      return `${figures(value)} %`;
    default:
      return scaled(value, 1000, THOUSANDS, "");
  }
}

export function formatSeconds(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return "0";
  if (size < 1e-3) return `${figures(seconds * 1e6)} µs`;
  if (size < 1) return `${figures(seconds * 1e3)} ms`;
  return `${figures(seconds)} s`;
}

/** How long something runs: "3 d 4 h". */
export function formatSpan(seconds: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = parts.findIndex(([size]) => seconds >= size);
  if (first < 0) return "0 s";
  const [size, name] = parts[first]!;
  const rest = parts[first + 1];
  const whole = Math.floor(seconds / size);
  const below = rest === undefined ? 0 : Math.floor((seconds - whole * size) / rest[0]);
  return below === 0 ? `${whole} ${name}` : `${whole} ${name} ${below} ${rest![1]}`;
}

export function formatTime(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" });
}

function scaled(value: number, base: number, names: readonly string[], gap: string): string {
  let step = 0;
  let left = value;
  while (Math.abs(left) >= base && step < names.length - 1) {
    left /= base;
    step += 1;
  }
  return `${figures(left)}${step === 0 && names[0] === "" ? "" : gap}${names[step]}`;
}

/** Three figures that count. */
function figures(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}
