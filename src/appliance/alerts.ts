/**
 * The alerts as the appliance keeps them: evaluated by the first collector over the history, told to the log, the
 * stream and webhooks, shown to the API workers on a board.
 */
import type { AlertBoard } from "../api/api-context.ts";
import { systemClock } from "../base/clock.ts";
import { urlHost } from "../base/url-host.ts";
import type { Alert } from "../observe/alerts/alert-states.ts";
import { alertViewOf } from "../observe/alerts/alert-view.ts";
import { AlertWatch } from "../observe/alerts/alert-watch.ts";
import { Judge } from "../observe/alerts/judge.ts";
import { KeptAlerts } from "../observe/alerts/kept-alerts.ts";
import { runbookOf, type Severity } from "../observe/alerts/rule.ts";
import { ALERT_RULES } from "../observe/alerts/rules.ts";
import { Silences } from "../observe/alerts/silences.ts";
import { Webhook } from "../observe/alerts/webhook.ts";
import { HISTORY_SHAPE } from "../observe/history-layout.ts";
import { HistoryReader } from "../observe/history-reader.ts";
import type { MetricLane } from "../observe/lane.ts";
import { counterSeries, durationSeries, levelSeries } from "../observe/series.ts";
import type { EventWriter } from "../shm/event-writer.ts";
import { TextBoardReader, TextBoardWriter } from "../shm/text-board.ts";
import { NativeDisk } from "../storage/native-disk.ts";
import type { Boot, FromThread } from "./boot.ts";
import { tellMain } from "./thread.ts";

export type KeptWatch = {
  /** Evaluates and delivers what is due. @param nowMs ms since the epoch */
  readonly tick: (nowMs: number) => void;
  /** Saves for the next process. */
  readonly close: () => void;
};

type Means = {
  readonly lane: MetricLane;
  readonly events: EventWriter;
  /** monotonic ms */
  readonly nowMs: () => number;
};

const LOG_LEVEL = { info: "info", warning: "warn", critical: "error" } as const;

/** Watches over the rules; undefined where `alerts.enabled` is off. */
export function openAlerts(boot: Boot, { lane, events, nowMs }: Means): KeptWatch | undefined {
  const { alerts: settings, server } = boot.settings;
  if (!settings.enabled) return undefined;
  const disk = new NativeDisk(1);
  const board = new TextBoardWriter(boot.shared.alerts);
  const externalUrl = `http://${urlHost(server.host)}:${boot.port}`;
  const webhooks = openWebhooks(boot, lane, externalUrl);
  const evaluations = durationSeries("engram_alert_evaluation_duration_seconds", {});
  const firing = (severity: Severity) => levelSeries("engram_alerts_firing", { severity });
  const watch = new AlertWatch({
    rules: ALERT_RULES,
    judge: new Judge(new HistoryReader(HISTORY_SHAPE, boot.shared.history), systemClock),
    intervalMs: settings.interval_s * 1000,
    patience: settings.patience,
    silences: openSilences(boot),
    kept: new KeptAlerts(disk, boot.dataDirectory),
    webhooks,
    externalUrl,
    show: (text) => {
      if (!board.write(text)) warn("There are more alerts than can be shown");
    },
    tell: (alert) => {
      tellMain({ type: "log", level: levelOf(alert), text: lineOf(alert) });
      events.emit("alert", eventOf(alert));
    },
    warn,
    nowMs,
    meter: {
      evaluated: (tookMs) => lane.record(evaluations, tookMs),
      firing: (severity, count) => lane.set(firing(severity), count),
    },
  });
  watch.open(Date.now());
  return { tick: (atMs) => watch.tick(atMs), close: () => watch.close(Date.now()) };
}

/** The alerts as an API worker sees them. */
export function openAlertBoard(boot: Boot): AlertBoard {
  const reader = new TextBoardReader(boot.shared.alerts);
  const { alerts, monitoring } = boot.settings;
  return {
    view: () => alertViewOf(reader.read()),
    silences: openSilences(boot),
    isEnabled: alerts.enabled && monitoring.enabled,
    intervalS: alerts.interval_s,
  };
}

/** The silences, as every thread that has to do with them sees them. */
function openSilences(boot: Boot): Silences {
  return new Silences(new NativeDisk(1), boot.dataDirectory, (ms) => Bun.sleep(ms));
}

function openWebhooks({ settings }: Boot, lane: MetricLane, externalUrl: string): Webhook[] {
  const { webhook_urls, webhook_header_file, group_wait_s, resend_interval_s } = settings.alerts;
  const urls = webhook_urls.split(/\s+/).filter((url) => url !== "");
  return urls.map(
    (url) =>
      new Webhook({
        url,
        headerFile: webhook_header_file,
        groupWaitMs: group_wait_s * 1000,
        resendMs: resend_interval_s * 1000,
        externalUrl,
        clock: systemClock,
        ended: (outcome, why) => {
          lane.add(counterSeries("engram_alert_notifications_total", { outcome }), 1);
          if (outcome !== "sent") warn(`A notification of alerts was ${outcome}: ${why}`);
        },
      }),
  );
}

function levelOf({ state, rule }: Alert): Extract<FromThread, { type: "log" }>["level"] {
  return state === "firing" ? LOG_LEVEL[rule.severity] : "info";
}

/** An alert as the log says it. */
function lineOf({ state, rule, labels, value }: Alert): string {
  const own = rule.labels.map((label) => `${label} ${labels[label]}`).join(", ");
  const name = own === "" ? rule.name : `${rule.name} (${own})`;
  if (state === "resolved")
    return `alert ${name} has ended: ${rule.summary}; no longer, the value is ${shown(value)}`;
  return `alert ${name} fires: ${rule.summary}; the value is ${shown(value)}. ${rule.meaning}. To do: ${rule.action} (${runbookOf(rule)})`;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function eventOf({ state, rule, labels, value, fingerprint }: Alert) {
  const { name, severity, about, summary, meaning, action } = rule;
  return { name, state, severity, about, labels, value, summary, meaning, action, fingerprint };
}

function warn(text: string): void {
  tellMain({ type: "log", level: "warn", text });
}
