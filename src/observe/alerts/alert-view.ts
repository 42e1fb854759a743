/**
 * What the evaluating thread tells the others: the alerts and what became of each rule, as JSON on a board. Texts of
 * rules are left out; every thread has the table.
 */
import type { Alert } from "./alert-states.ts";

export type AlertInView = Omit<Alert, "rule" | "isTold" | "backSinceMs">;

export type RuleInView = {
  readonly name: string;
  readonly state: "inactive" | "pending" | "firing" | "unavailable";
  /** of the element that is furthest beyond, where there is one */
  readonly value: number | undefined;
  /** why it is unavailable */
  readonly reason: string | undefined;
  readonly evaluatedAtMs: number;
  readonly tookMs: number;
};

export type AlertView = {
  readonly evaluatedAtMs: number;
  readonly alerts: readonly AlertInView[];
  readonly rules: readonly RuleInView[];
};

/** Enough for every rule and some hundred alerts. */
export const ALERT_BOARD_BYTES: number = 256 * 1024;

export function alertViewText(view: AlertView): string {
  return JSON.stringify(view);
}

/** @param text from the board; "" before the first evaluation */
export function alertViewOf(text: string): AlertView | undefined {
  return text === "" ? undefined : (JSON.parse(text) as AlertView);
}
