/**
 * The forgetting curves a space can have, as the number in its root, in the log and in `native/decay.c`.
 * `cognition/forgetting.ts` says what each of them is.
 */
export const FORGETTING_CURVE = { exponential: 0, power: 1, "two-component": 2 } as const;

export type ForgettingCurve = keyof typeof FORGETTING_CURVE;

const NAMES = Object.keys(FORGETTING_CURVE) as ForgettingCurve[];

/** The curve of a number; the first one for a number that is none. */
export function curveOfCode(code: number): ForgettingCurve {
  return NAMES.find((name) => FORGETTING_CURVE[name] === code) ?? "exponential";
}
