/**
 * The states of all alerts: one for each rule and set of labels that is beyond its threshold, or was lately.
 *
 * The steps are Prometheus's own, so that a server that loads `docs/alerts/engram.rules.yml` rings at the same
 * moments: a new alert is pending from the evaluation that found it, fires from the first one at least `forS` later, and
 * ends when it has been back across `clear` for `keepFiringS`.
 *
 * What is saved is restored after a restart: an alert that fired goes on, one that was pending has the time that
 * nobody looked added to its beginning, for it is not known what was the case meanwhile.
 */
import type { Judgement } from "./judge.ts";
import { type AlertRule, isBeyond } from "./rule.ts";
import { RESOLVED_SHOWN_S } from "./rules.ts";

export type Alert = {
  readonly rule: AlertRule;
  /** with `alertname` and `severity` */
  readonly labels: Readonly<Record<string, string>>;
  /** equal for equal labels: 16 hexadecimal digits */
  readonly fingerprint: string;
  state: "pending" | "firing" | "resolved";
  value: number;
  activeAtMs: number;
  firedAtMs: number | undefined;
  resolvedAtMs: number | undefined;
  /** since when it is back across `clear` and not ended yet */
  backSinceMs: number | undefined;
  /** whether receivers were told that it fires */
  isTold: boolean;
};

export type SavedAlert = Omit<Alert, "rule" | "fingerprint"> & { readonly rule: string };

export class AlertStates {
  readonly #rules: readonly AlertRule[];
  /** factor on the times that rules wait */
  readonly #patience: number;
  readonly #alerts = new Map<string, Alert>();

  constructor(rules: readonly AlertRule[], patience: number) {
    this.#rules = rules;
    this.#patience = patience;
  }

  /** Takes what a rule was judged to be. @returns alerts whose state changed, those that vanished left out */
  apply(rule: AlertRule, judgement: Judgement, nowMs: number): Alert[] {
    const elements = judgement.state === "judged" ? judgement.elements : [];
    const met = new Set<string>();
    const changed: Alert[] = [];
    for (const { labels: own, value } of elements) {
      const labels = { alertname: rule.name, severity: rule.severity, ...own };
      const fingerprint = fingerprintOf(labels);
      let alert = this.#alerts.get(fingerprint);
      const isFiring = alert?.state === "firing";
      if (!isBeyond(rule, value, isFiring ? rule.clear : rule.raise)) {
        if (isFiring) alert!.value = value;
        continue;
      }
      met.add(fingerprint);
      if (alert === undefined || alert.state === "resolved") {
        alert = newAlert(rule, labels, fingerprint, nowMs);
        this.#alerts.set(fingerprint, alert);
        changed.push(alert);
      }
      alert.value = value;
      alert.backSinceMs = undefined;
    }
    for (const alert of this.#of(rule)) {
      const isBack = !met.has(alert.fingerprint);
      if (this.#step(alert, isBack, nowMs) && !changed.includes(alert)) changed.push(alert);
    }
    return changed;
  }

  /** All that are shown: pending, firing, and resolved lately. */
  all(): Alert[] {
    return [...this.#alerts.values()];
  }

  save(): SavedAlert[] {
    return this.all().map(({ rule, fingerprint: _, ...rest }) => ({ ...rest, rule: rule.name }));
  }

  /** @param savedAtMs when they were saved */
  restore(saved: readonly SavedAlert[], savedAtMs: number, nowMs: number): void {
    const unwatchedMs = Math.max(0, nowMs - savedAtMs);
    for (const each of saved) {
      const rule = this.#rules.find(({ name }) => name === each.rule);
      // A rule that this version no longer has ends with it.
      if (rule === undefined) continue;
      const fingerprint = fingerprintOf(each.labels);
      const activeAtMs = each.state === "pending" ? each.activeAtMs + unwatchedMs : each.activeAtMs;
      // The time to come back begins anew: right after a start there may be nothing to judge by.
      this.#alerts.set(fingerprint, { ...each, rule, fingerprint, activeAtMs, backSinceMs: undefined });
    }
  }

  /** Takes an alert one step on. @returns whether its state changed and it is still shown */
  #step(alert: Alert, isBack: boolean, nowMs: number): boolean {
    if (alert.state === "resolved") {
      if (nowMs - alert.resolvedAtMs! > RESOLVED_SHOWN_S * 1000) this.#alerts.delete(alert.fingerprint);
      return false;
    }
    if (isBack && alert.state === "pending") {
      this.#alerts.delete(alert.fingerprint);
      return false;
    }
    if (isBack) {
      alert.backSinceMs ??= nowMs;
      if (nowMs - alert.backSinceMs < alert.rule.keepFiringS * 1000 * this.#patience) return false;
      alert.state = "resolved";
      alert.resolvedAtMs = nowMs;
      return true;
    }
    if (alert.state === "firing") return false;
    if (nowMs - alert.activeAtMs < alert.rule.forS * 1000 * this.#patience) return false;
    alert.state = "firing";
    alert.firedAtMs = nowMs;
    return true;
  }

  #of(rule: AlertRule): Alert[] {
    return this.all().filter((alert) => alert.rule === rule);
  }
}

function newAlert(
  rule: AlertRule,
  labels: Readonly<Record<string, string>>,
  fingerprint: string,
  nowMs: number,
): Alert {
  return {
    rule,
    labels,
    fingerprint,
    state: "pending",
    value: Number.NaN,
    activeAtMs: nowMs,
    firedAtMs: undefined,
    resolvedAtMs: undefined,
    backSinceMs: undefined,
    isTold: false,
  };
}

/** Of a set of labels, whatever their order. */
export function fingerprintOf(labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return Bun.hash.xxHash64(JSON.stringify(sorted)).toString(16).padStart(16, "0");
}
