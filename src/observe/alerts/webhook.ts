/**
 * One webhook: gathers what happens to the alerts of a rule for a moment, and posts it until the receiver took it.
 *
 *   changed() ──group wait──▶ queue ──POST──▶ 2xx: sent
 *                               ▲      │ no answer, 5xx, 408, 429: again after 1 s, 2 s, … 60 s, ten times at most
 *                               └──────┤
 *                                      └ another status, or the tenth time: failed
 *
 * A group in which something still fires is sent again after the resend interval. The queue is bounded: a receiver that
 * is down for long loses the oldest messages, which are counted. Nothing here holds up the thread; a post is under
 * way while it does other things.
 */
import { readFileSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { type WebhookAlert, type WebhookMessage, webhookMessage } from "./webhook-message.ts";

export const QUEUE_MAX = 64;
const ATTEMPTS_MAX = 10;
const PAUSE_MS_FIRST = 1000;
const PAUSE_MS_MAX = 60_000;
const ANSWER_MS_MAX = 10_000;
const HEADER_BYTES_MAX = 8192;

export type WebhookOutcome = "sent" | "failed" | "dropped";

export type WebhookOptions = {
  readonly url: string;
  /** a file whose first line is a header, as `Authorization: Bearer …`; "" for none */
  readonly headerFile: string;
  readonly groupWaitMs: number;
  readonly resendMs: number;
  /** the address of the appliance, which messages name */
  readonly externalUrl: string;
  readonly clock: Clock;
  /** what became of a message; a failure says why */
  readonly ended: (outcome: WebhookOutcome, why: string) => void;
};

type Group = {
  readonly alerts: Map<string, WebhookAlert>;
  /** ms of the clock since which a change waits to be sent */
  dirtySinceMs: number | undefined;
  sentAtMs: number;
};
type Queued = { readonly message: WebhookMessage; attempts: number };

export class Webhook {
  readonly #options: WebhookOptions;
  readonly #groups = new Map<string, Group>();
  readonly #queue: Queued[] = [];
  #isPosting = false;
  #pauseUntilMs = 0;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** Where it posts to, without what may be secret. */
  get address(): string {
    return new URL(this.#options.url).origin;
  }

  /** An alert began to fire, or ended. */
  changed(alert: WebhookAlert): void {
    const name = alert.labels["alertname"]!;
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { alerts: new Map(), dirtySinceMs: undefined, sentAtMs: 0 };
      this.#groups.set(name, group);
    }
    group.alerts.set(alert.fingerprint, alert);
    group.dirtySinceMs ??= this.#options.clock.wallMs();
  }

  /** Queues the groups that are due and posts what waits. @param isMuted whether an alert may not be sent again now */
  tick(isMuted: (labels: Readonly<Record<string, string>>) => boolean): void {
    const nowMs = this.#options.clock.wallMs();
    for (const [name, group] of this.#groups) {
      const { groupWaitMs, resendMs } = this.#options;
      const isChanged = group.dirtySinceMs !== undefined && nowMs - group.dirtySinceMs >= groupWaitMs;
      const isDueAgain = group.dirtySinceMs === undefined && nowMs - group.sentAtMs >= resendMs;
      if (!isChanged && !isDueAgain) continue;
      const alerts = [...group.alerts.values()].filter(({ labels }) => isChanged || !isMuted(labels));
      group.dirtySinceMs = undefined;
      group.sentAtMs = nowMs;
      if (alerts.length > 0) this.#enqueue(webhookMessage(alerts, this.#options.externalUrl));
      for (const { fingerprint, status } of group.alerts.values()) {
        if (status === "resolved") group.alerts.delete(fingerprint);
      }
      if (group.alerts.size === 0) this.#groups.delete(name);
    }
    if (!this.#isPosting && this.#queue.length > 0 && nowMs >= this.#pauseUntilMs) void this.#post();
  }

  #enqueue(message: WebhookMessage): void {
    this.#queue.push({ message, attempts: 0 });
    if (this.#queue.length <= QUEUE_MAX) return;
    // The first may be under way, and is taken out by whoever sends it.
    this.#queue.splice(this.#isPosting ? 1 : 0, 1);
    this.#options.ended("dropped", `${QUEUE_MAX} messages wait for ${this.address} already`);
  }

  async #post(): Promise<void> {
    this.#isPosting = true;
    const next = this.#queue[0]!;
    next.attempts += 1;
    const failure = await this.#attempt(next.message);
    this.#isPosting = false;
    if (failure === undefined) {
      this.#queue.shift();
      this.#options.ended("sent", "");
    } else if (!failure.mayPass || next.attempts >= ATTEMPTS_MAX) {
      this.#queue.shift();
      this.#options.ended("failed", `${this.address}: ${failure.why} (attempt ${next.attempts})`);
    } else {
      const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS_FIRST * 2 ** (next.attempts - 1));
      this.#pauseUntilMs = this.#options.clock.wallMs() + pauseMs;
    }
  }

  /** @returns why it was not taken; undefined when it was */
  async #attempt(message: WebhookMessage): Promise<{ why: string; mayPass: boolean } | undefined> {
    try {
      const response = await fetch(this.#options.url, {
        method: "POST",
        headers: { "content-type": "application/json", ...this.#secretHeader() },
        body: JSON.stringify(message),
        redirect: "error",
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      await response.body?.cancel();
      if (response.ok) return undefined;
      const { status } = response;
      return { why: `it answered ${status}`, mayPass: status >= 500 || status === 408 || status === 429 };
    } catch (error) {
      return { why: error instanceof Error ? error.message : String(error), mayPass: true };
    }
  }

  /** Read anew each time, so that a changed secret needs no restart. */
  #secretHeader(): Record<string, string> {
    const { headerFile } = this.#options;
    if (headerFile === "") return {};
    const line = readFileSync(headerFile, "utf8").split("\n", 1)[0]!;
    const match = /^([A-Za-z0-9-]+):[ \t]*([\x20-\x7e]+?)[ \t\r]*$/.exec(line);
    if (match === null || line.length > HEADER_BYTES_MAX) {
      throw new Error(`the first line of ${headerFile} is not a header, as "Authorization: Bearer …"`);
    }
    return { [match[1]!]: match[2]! };
  }
}
