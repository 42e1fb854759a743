/** What a webhook does when its receiver is slow, down, refuses, or has come to know of too much. */
import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { QUEUE_MAX, Webhook, type WebhookOutcome } from "../../src/observe/alerts/webhook.ts";
import type { WebhookAlert, WebhookMessage } from "../../src/observe/alerts/webhook-message.ts";
import { eventually, ScratchDirectory } from "../support/appliance-process.ts";

const alert = (
  name: string,
  status: "firing" | "resolved" = "firing",
  labels: Record<string, string> = {},
): WebhookAlert => ({
  status,
  labels: { alertname: name, severity: "info", ...labels },
  annotations: { summary: "s" },
  startsAt: "2026-01-01T00:00:00.000Z",
  endsAt: "0001-01-01T00:00:00Z",
  generatorURL: "http://a/",
  fingerprint: `${name}${JSON.stringify(labels)}`,
});

/** A webhook whose clock is stepped, and a receiver that answers what it is told to. */
class Bench {
  wallMs = 1_000_000;
  status = 200;
  readonly messages: WebhookMessage[] = [];
  readonly headers: (string | null)[] = [];
  readonly outcomes: [WebhookOutcome, string][] = [];
  readonly #server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      this.headers.push(request.headers.get("x-secret"));
      this.messages.push((await request.json()) as WebhookMessage);
      return new Response(null, { status: this.status });
    },
  });
  readonly webhook: Webhook;

  constructor(headerFile = "") {
    this.webhook = new Webhook({
      url: `http://127.0.0.1:${this.#server.port}/hook?token=hidden`,
      headerFile,
      groupWaitMs: 10_000,
      resendMs: 3_600_000,
      externalUrl: "http://appliance:7432",
      clock: { nowNs: () => 0, wallMs: () => this.wallMs },
      ended: (outcome, why) => this.outcomes.push([outcome, why]),
    });
  }

  /** Lets time pass, and waits until what was posted was answered. */
  async pass(ms: number, posts = 0, isMuted: () => boolean = () => false): Promise<void> {
    this.wallMs += ms;
    const before = this.messages.length;
    this.webhook.tick(isMuted);
    await eventually("it is posted", () => this.messages.length >= before + posts, {
      withinMs: 5000,
      everyMs: 2,
    });
    // The answer has to come back as well.
    await Bun.sleep(20);
    expect(this.messages.length).toBe(before + posts);
  }

  stop(): void {
    void this.#server.stop(true);
  }
}

let bench: Bench;
afterEach(() => bench.stop());

describe("Webhook", () => {
  test("Webhook gathers the alerts of a rule, and sends rules apart", async () => {
    bench = new Bench();
    bench.webhook.changed(alert("A", "firing", { operation: "recall" }));
    await bench.pass(5000);
    bench.webhook.changed(alert("A", "firing", { operation: "remember" }));
    await bench.pass(5000, 1);
    const [message] = bench.messages;
    expect(message!.alerts.length).toBe(2);
    expect(message!.commonLabels).toEqual({ alertname: "A", severity: "info" });
    expect(bench.outcomes).toEqual([["sent", ""]]);
    bench.webhook.changed(alert("B"));
    await bench.pass(10_000, 1);
    expect(bench.messages[1]!.groupLabels).toEqual({ alertname: "B" });
  });

  test("Webhook tells of the end once, and again only of what still fires", async () => {
    bench = new Bench();
    bench.webhook.changed(alert("A", "firing", { operation: "recall" }));
    bench.webhook.changed(alert("A", "firing", { operation: "remember" }));
    await bench.pass(10_000, 1);
    bench.webhook.changed(alert("A", "resolved", { operation: "recall" }));
    await bench.pass(10_000, 1);
    expect(bench.messages[1]!.status).toBe("firing");
    expect(bench.messages[1]!.alerts.map(({ status }) => status)).toEqual(["resolved", "firing"]);
    await bench.pass(3_599_000);
    await bench.pass(1000, 1);
    expect(bench.messages[2]!.alerts.map(({ labels }) => labels["operation"])).toEqual(["remember"]);
    // Silenced, it is not told again.
    await bench.pass(3_600_000, 0, () => true);
    bench.webhook.changed(alert("A", "resolved", { operation: "remember" }));
    await bench.pass(10_000, 1);
    expect(bench.messages[3]!.status).toBe("resolved");
    await bench.pass(3_600_000, 0);
  });

  test("Webhook tries again after a growing pause, and gives up after ten times", async () => {
    bench = new Bench();
    bench.status = 503;
    bench.webhook.changed(alert("A"));
    await bench.pass(10_000, 1);
    for (const pauseMs of [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000)) {
      expect(bench.outcomes).toEqual([]);
      await bench.pass(pauseMs - 1);
      await bench.pass(1, 1);
    }
    expect(bench.outcomes.map(([outcome]) => outcome)).toEqual(["failed"]);
    expect(bench.outcomes[0]![1]).toMatch(/^http:\/\/127\.0\.0\.1:\d+: it answered 503 \(attempt 10\)$/);
  });

  test("Webhook does not try again what the receiver refuses", async () => {
    bench = new Bench();
    bench.status = 400;
    bench.webhook.changed(alert("A"));
    await bench.pass(10_000, 1);
    expect(bench.outcomes.map(([outcome]) => outcome)).toEqual(["failed"]);
    await bench.pass(60_000);
  });

  test("Webhook holds a bounded number of messages, and counts the oldest as dropped", async () => {
    bench = new Bench();
    bench.status = 503;
    for (let i = 0; i < QUEUE_MAX + 5; i++) bench.webhook.changed(alert(`A${i}`));
    await bench.pass(10_000, 1);
    expect(bench.outcomes.map(([outcome]) => outcome)).toEqual(new Array(5).fill("dropped"));
  });

  test("Webhook sends the header of a file, reads it anew, and never says it or the whole address", async () => {
    using directory = new ScratchDirectory("webhook");
    const file = join(directory.path, "header");
    writeFileSync(file, "X-Secret: one\n");
    bench = new Bench(file);
    bench.webhook.changed(alert("A"));
    await bench.pass(10_000, 1);
    writeFileSync(file, "X-Secret: two\n");
    bench.webhook.changed(alert("B"));
    await bench.pass(10_000, 1);
    expect(bench.headers).toEqual(["one", "two"]);
    writeFileSync(file, "not a header\n");
    bench.webhook.changed(alert("C"));
    for (let i = 0; i < 10; i++) await bench.pass(60_000);
    expect(bench.outcomes.at(-1)![0]).toBe("failed");
    expect(bench.outcomes.at(-1)![1]).toContain("is not a header");
    expect(JSON.stringify(bench.outcomes)).not.toContain("hidden");
    expect(JSON.stringify(bench.outcomes)).not.toContain("not a header\n");
  });
});
