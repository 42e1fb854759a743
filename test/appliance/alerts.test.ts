/**
 * An alert through the whole appliance: the log's syncs are made slow, and it is seen at the API, in the log, on the
 * stream and at a webhook; it goes on over a restart, is silenced, and ends.
 *
 * The data lies in memory (/dev/shm), so that only the delay makes a sync slow, and many fast ones bring the P99 down
 * again within seconds.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WebhookMessage } from "../../src/observe/alerts/webhook-message.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";
import { buildSlowSync, NO_SLOW_SYNC } from "../support/slow-sync.ts";

const NAME = "EngramWalFlushSlow";
const SECRET = "Bearer a-secret";
const SHM = "/dev/shm";
const skipped = NO_SLOW_SYNC ?? (existsSync(SHM) ? undefined : "no /dev/shm");
if (skipped !== undefined) console.log(`skipped: ${skipped}`);

// biome-ignore lint/suspicious/noExplicitAny: replies are looked into here only
type Json = any;

/** Takes what is posted; the first post is answered 503, so that it has to come again. */
class Receiver {
  readonly messages: WebhookMessage[] = [];
  readonly headers: (string | null)[] = [];
  posts = 0;
  readonly #server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      this.posts += 1;
      this.headers.push(request.headers.get("authorization"));
      if (this.posts === 1) return new Response("later", { status: 503 });
      this.messages.push((await request.json()) as WebhookMessage);
      return new Response();
    },
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/alerts/of-mine`;
  }

  close(): void {
    void this.#server.stop(true);
  }
}

let library: string;
let receiver: Receiver;
let data: string;
const directory = skipped === undefined ? new ScratchDirectory("alerts") : undefined;
const slowWhile = join(directory?.path ?? tmpdir(), "slow");

beforeAll(() => {
  if (skipped !== undefined) return;
  library = buildSlowSync(directory!.path);
  data = join(mkdtempSync(join(SHM, "engram-alerts-")), "data");
  receiver = new Receiver();
});
afterAll(() => {
  if (skipped !== undefined) return;
  receiver.close();
  rmSync(join(data, ".."), { recursive: true, force: true });
  directory![Symbol.dispose]();
});

const start = (): Promise<ApplianceProcess> => {
  const header = join(directory!.path, "header");
  writeFileSync(header, `Authorization: ${SECRET}\n`);
  return ApplianceProcess.start({
    data,
    settings: {
      "thread_pools.api_workers": 2,
      "numa.enabled": false,
      "alerts.interval_s": 1,
      "alerts.patience": 0.01,
      "alerts.group_wait_s": 0,
      "alerts.webhook_urls": receiver.url,
      "alerts.webhook_header_file": header,
    },
    environment: { LD_PRELOAD: library, ENGRAM_TEST_SLOW_WHILE: slowWhile, ENGRAM_TEST_SLOW_MS: "30" },
  });
};

async function get(appliance: ApplianceProcess, path: string): Promise<Json> {
  const reply = await fetch(appliance.url + path);
  expect(reply.status).toBe(200);
  return reply.json();
}

async function call(
  appliance: ApplianceProcess,
  method: string,
  path: string,
  body?: unknown,
): Promise<Json> {
  const reply = await fetch(appliance.url + path, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: reply.status, json: await reply.json() };
}

const alertsOf = async (appliance: ApplianceProcess, state: string): Promise<Json[]> => {
  const { data: shown } = await get(appliance, "/api/v1/alerts");
  return [...shown.alerts, ...shown.resolved].filter(
    (each: Json) => each.labels.alertname === NAME && each.state === state,
  );
};
const ruleOf = async (appliance: ApplianceProcess, name: string): Promise<Json> =>
  (await get(appliance, "/api/v1/alerts")).data.rules.find((each: Json) => each.name === name);

/** Writes with ack=fsync, several at a time, until told to stop. */
async function writeWhile(appliance: ApplianceProcess, goesOn: () => boolean): Promise<void> {
  let count = 0;
  const work = async (): Promise<void> => {
    while (goesOn()) {
      const { status } = await call(appliance, "POST", "/api/v1/memories/remember", {
        content: `Memory ${count++}`,
      });
      expect(status).toBe(201);
    }
  };
  await Promise.all([work(), work(), work(), work()]);
}

async function untilHolds(
  appliance: ApplianceProcess,
  what: string,
  holds: () => Promise<boolean>,
): Promise<void> {
  let isDone = false;
  const writing = writeWhile(appliance, () => !isDone);
  try {
    await eventually(what, holds, { withinMs: 150_000, everyMs: 200 });
  } finally {
    isDone = true;
    await writing;
  }
}

test.skipIf(skipped !== undefined)(
  "an alert fires, is told everywhere, survives a restart, is silenced and ends",
  async () => {
    writeFileSync(slowWhile, "");
    {
      await using appliance = await start();
      // What nothing records yet, and what has no baseline, is not "ok".
      await eventually(
        "rules are evaluated",
        async () => (await ruleOf(appliance, NAME)).reason !== "it was not evaluated yet",
      );
      const completion = await ruleOf(appliance, "EngramCompletionBreakingDown");
      expect(completion.state).toBe("unavailable");
      expect(completion.value).toBeNull();

      const told = firstEvent(`${appliance.url}/api/v1/stream/alerts`);
      await untilHolds(appliance, "it fires", async () => (await alertsOf(appliance, "firing")).length > 0);
      const [alert] = await alertsOf(appliance, "firing");
      expect(alert.labels).toEqual({ alertname: NAME, severity: "warning" });
      expect(alert.annotations.meaning).toContain("ack=fsync");
      expect(Number(alert.value)).toBeGreaterThan(0.005);
      expect((await ruleOf(appliance, NAME)).state).toBe("firing");
      await appliance.says(new RegExp(`warn alert ${NAME} fires: The P99 of a sync .* To do: `));

      const { data: groups } = await get(appliance, "/api/v1/rules?type=alert");
      const rule = groups.groups.flatMap((each: Json) => each.rules).find((each: Json) => each.name === NAME);
      expect(rule.type).toBe("alerting");
      expect(rule.state).toBe("firing");
      expect(rule.health).toBe("ok");
      expect(rule.alerts.length).toBe(1);
      await eventually("it is counted", async () => {
        const metrics = await (await fetch(`${appliance.url}/metrics`)).text();
        return metrics.includes('engram_alerts_firing{severity="warning"} 1');
      });

      expect(await told).toMatchObject({
        name: NAME,
        state: "firing",
        severity: "warning",
        about: "machine",
        meaning: alert.annotations.meaning,
      });

      // The first post was refused for the moment, so it came again.
      await eventually("the webhook was told", () => receiver.messages.length > 0);
      expect(receiver.posts).toBeGreaterThan(1);
      expect(new Set(receiver.headers)).toEqual(new Set([SECRET]));
      checkMessage(receiver.messages[0]!, "firing", appliance.url);
      expect(await appliance.stop()).toBe(0);
      expect(appliance.stderr).not.toContain("of-mine");
      expect(appliance.stderr).not.toContain("a-secret");
    }
    const firedBefore = receiver.messages[0]!.alerts[0]!.startsAt;
    rmSync(slowWhile);
    await using appliance = await start();
    // It goes on from where it was: the collector may have to load the history first.
    await eventually("it still fires", async () => (await alertsOf(appliance, "firing")).length > 0);
    expect((await alertsOf(appliance, "firing"))[0].fired_at).toBe(firedBefore);

    await untilHolds(appliance, "it ends", async () => (await alertsOf(appliance, "resolved")).length > 0);
    await appliance.says(new RegExp(`info alert ${NAME} has ended`));
    await eventually("the webhook was told of the end", () =>
      receiver.messages.some(({ status }) => status === "resolved"),
    );
    checkMessage(receiver.messages.find(({ status }) => status === "resolved")!, "resolved", appliance.url);

    // Silenced, it is shown and nobody is told; when the silence ends, they are.
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const silence = {
      matchers: [{ name: "alertname", operator: "=~", value: "EngramWal.*" }],
      until,
      author: "a test",
      comment: "slow on purpose",
    };
    const made = await call(appliance, "POST", "/api/v1/alerts/silences", silence);
    expect([made.status, made.json.state]).toEqual([201, "active"]);
    const told = receiver.posts;
    writeFileSync(slowWhile, "");
    await untilHolds(appliance, "it fires, silenced", async () =>
      (await alertsOf(appliance, "firing")).some((each) => each.silenced_by.includes(made.json.id)),
    );
    await Bun.sleep(2500);
    expect(receiver.posts).toBe(told);
    const ended = await call(appliance, "DELETE", `/api/v1/alerts/silences/${made.json.id}`);
    expect([ended.status, ended.json.state]).toEqual([200, "ended"]);
    await eventually("the webhook is told now", () => receiver.posts > told);
    expect((await call(appliance, "DELETE", `/api/v1/alerts/silences/${made.json.id}`)).status).toBe(404);
  },
  500_000,
);

/** The first event of a stream. */
async function firstEvent(url: string): Promise<Json> {
  const reader = (await fetch(url)).body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The stream ended: ${text}`);
    text += decoder.decode(value, { stream: true });
    const data = /^data: (.*"name".*)\n/m.exec(text)?.[1];
    if (data === undefined) continue;
    await reader.cancel();
    return JSON.parse(data);
  }
}

/** What Alertmanager's receivers rely on. */
function checkMessage(message: WebhookMessage, status: "firing" | "resolved", url: string): void {
  expect(message).toMatchObject({
    version: "4",
    status,
    truncatedAlerts: 0,
    receiver: "engram-appliance",
    groupLabels: { alertname: NAME },
    commonLabels: { alertname: NAME, severity: "warning" },
  });
  expect(message.groupKey).toBe(`{}:{alertname="${NAME}"}`);
  expect(message.externalURL).toBe(url);
  expect(message.alerts.length).toBe(1);
  const alert = message.alerts[0]!;
  expect(alert.status).toBe(status);
  expect(alert.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  expect(alert.generatorURL).toContain("/api/v1/query?query=");
  expect(Number.isNaN(Date.parse(alert.startsAt))).toBe(false);
  if (status === "firing") expect(alert.endsAt).toBe("0001-01-01T00:00:00Z");
  else expect(Date.parse(alert.endsAt)).toBeGreaterThan(Date.parse(alert.startsAt));
}
