/**
 * Watches: evaluates the rules that are due, keeps the states, tells who has to hear, and shows it all on the board.
 *
 * It runs in one thread, the first collector, right after the history took its sample, and costs what
 * `engram_alert_evaluation_duration_seconds` says. Rules that look back far are evaluated once a minute, each in a
 * second of its own.
 *
 * Who hears: the log and the stream once when an alert begins to fire and once when it ends; webhooks as
 * `webhook.ts` says. An alert that a silence holds for is told when the silence ends, if it still fires then; the end
 * of one that was told of is always told.
 */
import { type Alert, AlertStates } from "./alert-states.ts";
import { type AlertInView, alertViewText, type RuleInView } from "./alert-view.ts";
import type { Judge, Judgement } from "./judge.ts";
import type { KeptAlerts } from "./kept-alerts.ts";
import { type AlertRule, SEVERITIES, type Severity } from "./rule.ts";
import type { Silences } from "./silences.ts";
import type { Webhook } from "./webhook.ts";
import { webhookAlert } from "./webhook-message.ts";

const SLOW_INTERVAL_MS = 60_000;
const STAGGER_MS = 1000;

export type AlertWatchOptions = {
  readonly rules: readonly AlertRule[];
  readonly judge: Judge;
  readonly intervalMs: number;
  /** factor on the times that rules wait */
  readonly patience: number;
  readonly silences: Silences;
  readonly kept: KeptAlerts;
  readonly webhooks: readonly Webhook[];
  readonly externalUrl: string;
  /** shows the view to the other threads */
  readonly show: (text: string) => void;
  /** an alert began to fire, or ended */
  readonly tell: (alert: Alert) => void;
  /** something went wrong that is no reason to stop */
  readonly warn: (text: string) => void;
  /** monotonic ms */
  readonly nowMs: () => number;
  readonly meter: {
    readonly evaluated: (tookMs: number) => void;
    readonly firing: (severity: Severity, count: number) => void;
  };
};

export class AlertWatch {
  readonly #options: AlertWatchOptions;
  readonly #states: AlertStates;
  /** by rule, ms since the epoch */
  readonly #dueAtMs = new Map<AlertRule, number>();
  readonly #outcomes = new Map<AlertRule, RuleInView>();
  #lastMs = 0;
  #damage: string | undefined;

  constructor(options: AlertWatchOptions) {
    this.#options = options;
    this.#states = new AlertStates(options.rules, options.patience);
  }

  /** Takes up what an earlier process left. */
  open(nowMs: number): void {
    const { kept, rules, webhooks, externalUrl, warn } = this.#options;
    let slow = 0;
    for (const rule of rules) this.#dueAtMs.set(rule, rule.isSlow ? nowMs + STAGGER_MS * slow++ : nowMs);
    try {
      const found = kept.load();
      if (found.state === "damaged")
        warn(`The states of alerts begin anew: their file is damaged (${found.found})`);
      if (found.state === "read") this.#states.restore(found.alerts, found.savedAtMs, nowMs);
    } catch (error) {
      warn(`Cannot read the states of alerts: ${error instanceof Error ? error.message : error}`);
    }
    // Whether the last messages arrived is not known, so receivers hear again of what fires.
    for (const alert of this.#states.all()) {
      if (alert.state !== "firing" || !alert.isTold) continue;
      for (const webhook of webhooks) webhook.changed(webhookAlert(alert, externalUrl));
    }
  }

  /** Evaluates what is due, and delivers. @param nowMs ms since the epoch, of the history's newest sample */
  tick(nowMs: number): void {
    const { rules, meter, silences, webhooks, show } = this.#options;
    const startedAtMs = this.#options.nowMs();
    const due = rules.filter((rule) => nowMs >= this.#dueAtMs.get(rule)! || nowMs < this.#lastMs);
    this.#lastMs = nowMs;
    const changed = due.flatMap((rule) => this.#evaluate(rule, nowMs));
    const isToldOf = this.#deliver(changed, nowMs);
    for (const webhook of webhooks) webhook.tick((labels) => silences.holdingFor(labels, nowMs).length > 0);
    if (due.length === 0) return;
    if (changed.length > 0 || isToldOf) this.#save(nowMs);
    for (const severity of SEVERITIES) {
      const firing = this.#states.all().filter((alert) => alert.state === "firing");
      meter.firing(severity, firing.filter(({ rule }) => rule.severity === severity).length);
    }
    show(this.#viewText(nowMs));
    meter.evaluated(this.#options.nowMs() - startedAtMs);
  }

  /** Saves for the next process. */
  close(nowMs: number): void {
    this.#save(nowMs);
  }

  #evaluate(rule: AlertRule, nowMs: number): Alert[] {
    const { judge, intervalMs } = this.#options;
    const startedAtMs = this.#options.nowMs();
    const judgement = judge.judge(rule, nowMs);
    const changed = this.#states.apply(rule, judgement, nowMs);
    const every = rule.isSlow === true ? Math.max(SLOW_INTERVAL_MS, intervalMs) : intervalMs;
    this.#dueAtMs.set(rule, nowMs + every - STAGGER_MS / 2);
    this.#outcomes.set(rule, {
      name: rule.name,
      state: this.#stateOf(rule, judgement),
      value: worst(rule, judgement),
      reason: judgement.state === "unavailable" ? judgement.reason : undefined,
      evaluatedAtMs: nowMs,
      tookMs: this.#options.nowMs() - startedAtMs,
    });
    return changed;
  }

  #stateOf(rule: AlertRule, judgement: Judgement): RuleInView["state"] {
    const states = this.#states.all().flatMap((alert) => (alert.rule === rule ? [alert.state] : []));
    if (states.includes("firing")) return "firing";
    if (states.includes("pending")) return "pending";
    return judgement.state === "unavailable" ? "unavailable" : "inactive";
  }

  /** @returns whether anybody was told of anything */
  #deliver(changed: readonly Alert[], nowMs: number): boolean {
    const { silences, webhooks, externalUrl, tell } = this.#options;
    let isToldOf = false;
    const everywhere = (alert: Alert): void => {
      isToldOf = true;
      tell(alert);
      for (const webhook of webhooks) webhook.changed(webhookAlert(alert, externalUrl));
    };
    for (const alert of changed) {
      if (alert.state !== "resolved" || !alert.isTold) continue;
      alert.isTold = false;
      everywhere(alert);
    }
    for (const alert of this.#states.all()) {
      if (alert.state !== "firing" || alert.isTold) continue;
      if (silences.holdingFor(alert.labels, nowMs).length > 0) continue;
      alert.isTold = true;
      everywhere(alert);
    }
    if (silences.damage !== undefined && silences.damage !== this.#damage) {
      this.#options.warn(`No alert is silenced: the file of silences is damaged (${silences.damage})`);
    }
    this.#damage = silences.damage;
    return isToldOf;
  }

  #viewText(nowMs: number): string {
    const alerts: AlertInView[] = this.#states
      .all()
      .map(({ rule: _, isTold: _told, backSinceMs: _back, ...shown }) => shown);
    return alertViewText({ evaluatedAtMs: nowMs, alerts, rules: [...this.#outcomes.values()] });
  }

  #save(nowMs: number): void {
    try {
      this.#options.kept.save(this.#states.save(), nowMs);
    } catch (error) {
      this.#options.warn(
        `Cannot save the states of alerts: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
}

/** The element of a value that is furthest on the rule's side. */
function worst(rule: AlertRule, judgement: Judgement): number | undefined {
  if (judgement.state === "unavailable") return undefined;
  const values = judgement.elements.map(({ value }) => value);
  return rule.side === "above" ? Math.max(...values) : Math.min(...values);
}
