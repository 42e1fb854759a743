import { afterEach, expect, test } from "bun:test";
import { EVENT_INDEX_COUNT } from "../../src/layout/event.ts";
import { type EventMemory, EventWriter, makeEventMemory } from "../../src/shm/event-writer.ts";
import { createKey, revokeKey } from "../../src/storage/key-store.ts";
import { localWatch } from "../observe/local-watch.ts";
import { EventSourceClient } from "../support/event-source.ts";
import { ApiUnderTest, type ApiUnderTestOptions } from "./api-under-test.ts";

const MEMORIES = "/api/v1/stream/memories";

type Lab = {
  readonly api: ApiUnderTest;
  readonly memory: EventMemory;
  /** of two threads */
  readonly events: readonly EventWriter[];
  readonly open: (path: string, headers?: Record<string, string>) => Promise<EventSourceClient>;
};

const opened: { close(): unknown }[] = [];

function lab(options: ApiUnderTestOptions = {}): Lab {
  const memory = makeEventMemory(2);
  const api = new ApiUnderTest({ ...options, watch: localWatch(undefined, memory) });
  opened.push(api);
  return {
    api,
    memory,
    events: [0, 1].map((ring) => new EventWriter(memory, ring, Date.now)),
    open: async (path, headers) => {
      const client = await EventSourceClient.open(api.url + path, headers);
      opened.unshift(client);
      return client;
    },
  };
}

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

const formed = (id: string, space = "default") => ({ space, id, outcome: "stored" }) as const;

test("GET stream/memories tells what two threads tell, in the order of time, each event with an id", async () => {
  const { events, open } = lab();
  const client = await open(MEMORIES);
  for (let i = 0; i < 10; i++) {
    events[i % 2]!.emit("formed", formed(`m${i}`));
    await Bun.sleep(2);
  }
  events[1]!.emit("forgotten", { space: "default", id: "m0", reason: "asked" });
  const seen = await client.take(11);
  expect(seen.map(({ event, data }) => [event, data.id])).toEqual([
    ...Array.from({ length: 10 }, (_, i) => ["formed", `m${i}`]),
    ["forgotten", "m0"],
  ]);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(11);
  for (const { data } of seen) expect(Math.abs(Date.parse(data.time) - Date.now())).toBeLessThan(30_000);
  expect(client.response.headers.get("cache-control")).toBe("no-store");
});

test("GET stream/memories goes on behind Last-Event-ID with what happened meanwhile, and only that", async () => {
  const { events, open } = lab();
  const first = await open(MEMORIES);
  for (let i = 0; i < 6; i++) events[i % 2]!.emit("formed", formed(`m${i}`));
  const seen = await first.take(6);
  first.close();
  for (let i = 6; i < 9; i++) events[i % 2]!.emit("formed", formed(`m${i}`));
  // The last event it saw is not the last that was sent to it.
  const second = await open(MEMORIES, { "last-event-id": seen[3]!.id! });
  events[0]!.emit("formed", formed("m9"));
  const rest = await second.take(6);
  expect([...seen.slice(0, 4), ...rest].map(({ data }) => data.id).sort()).toEqual(
    Array.from({ length: 10 }, (_, i) => `m${i}`),
  );
  const byQuery = await open(`${MEMORIES}?last_event_id=${seen[5]!.id}`);
  expect((await byQuery.take(4)).map(({ data }) => data.id).sort()).toEqual(["m6", "m7", "m8", "m9"]);
});

test("GET stream/memories warns with the number of events that were overwritten before the client came back", async () => {
  const { events, open } = lab();
  const first = await open(MEMORIES);
  events[0]!.emit("formed", formed("first"));
  const [{ id } = { id: undefined }] = await first.take(1);
  first.close();
  const told = EVENT_INDEX_COUNT + 500;
  for (let i = 0; i < told; i++) events[0]!.emit("formed", formed(String(i)));
  const second = await open(MEMORIES, { "last-event-id": id! });
  const [warning, next] = await second.take(2);
  expect(warning!.event).toBe("warning");
  expect(warning!.id).toBeUndefined();
  expect(warning!.data.code).toBe("events-overwritten");
  // What was lost and what comes next fit together without a gap.
  expect(warning!.data.lost).toBe(Number(next!.data.id));
  expect(warning!.data.lost).toBe(told - (EVENT_INDEX_COUNT - 1));
});

test("GET stream/memories says when events between were not kept, and when the appliance was another start", async () => {
  const { events, open, memory } = lab();
  const first = await open(MEMORIES);
  events[0]!.emit("formed", formed("a"));
  const [event] = await first.take(1);
  first.close();
  const later = event!.id!.split("-");
  const away = [later[0], (Number.parseInt(later[1]!, 36) - 60_000).toString(36), later[2]].join("-");
  const second = await open(MEMORIES, { "last-event-id": away });
  expect((await second.take(1))[0]!.data.code).toBe("events-not-kept");
  const other = await open(MEMORIES, { "last-event-id": `zz-${later[1]}-${later[2]}` });
  const [warning] = await other.take(1);
  expect(warning!.data.code).toBe("appliance-restarted");
  expect(warning!.data.lost).toBeUndefined();
  expect(memory.rings.length).toBe(2);
});

test("GET stream/memories sends only the kinds and the space asked for", async () => {
  const { events, open } = lab();
  const client = await open(`${MEMORIES}?kinds=forgotten,recalled&space=work`);
  const byHeader = await open(MEMORIES, { "x-memory-space": "work" });
  events[0]!.emit("formed", formed("a", "work"));
  events[0]!.emit("forgotten", { space: "default", id: "b", reason: "asked" });
  events[0]!.emit("forgotten", { space: "work", id: "c", reason: "faded" });
  expect((await client.take(1))[0]!.data).toMatchObject({ space: "work", id: "c", reason: "faded" });
  expect((await byHeader.take(2)).map(({ data }) => data.id)).toEqual(["a", "c"]);
});

test("GET stream/memories tells a key only of the spaces that it opens, and ends when the key is revoked", async () => {
  const { api, events, open } = lab({
    settings: (standard) => ({ ...standard, limits: { ...standard.limits, streamBeatMs: 100 } }),
  });
  const wanted = { name: "watcher", rights: ["read"], spaces: ["work"], expiresAtMs: undefined } as const;
  const { key } = await createKey(api.dataDir, wanted, Date.now());
  api.passASecond();
  const authorization = `Bearer ${key}`;
  const client = await open(MEMORIES, { authorization });
  const refused = await api.get(`${MEMORIES}?space=secret`, { authorization });
  expect(refused.status).toBe(403);
  expect(refused.json.code).toBe("space-forbidden");
  events[0]!.emit("formed", formed("hidden", "secret"));
  events[0]!.emit("formed", formed("seen", "work"));
  expect((await client.take(1))[0]!.data.id).toBe("seen");

  const logs = await api.get("/api/v1/stream/logs", { authorization });
  expect(logs.json.code).toBe("right-missing");
  revokeKey(api.dataDir, "watcher", Date.now());
  api.passASecond();
  const ended = await client.next();
  expect(ended!.data.code).toBe("access-ended");
  expect(await client.next()).toBeUndefined();
});

test("GET stream/logs sends lines of the level asked for and graver ones, and resumes without a listener", async () => {
  const { events, open } = lab();
  const client = await open("/api/v1/stream/logs?level=warn");
  const levels = ["debug", "info", "warn", "error"] as const;
  for (const level of levels) events[0]!.emit("log", { level, message: `a ${level}` });
  const seen = await client.take(2);
  expect(seen.map(({ data }) => data.message)).toEqual(["a warn", "a error"]);
  client.close();
  events[1]!.emit("log", { level: "error", message: "while nobody listened", trace_id: "4bf9" });
  const again = await open("/api/v1/stream/logs", { "last-event-id": seen[1]!.id! });
  expect((await again.take(1))[0]!.data).toMatchObject({
    message: "while nobody listened",
    trace_id: "4bf9",
  });
});

test("GET stream/alerts sends alerts of the severities asked for", async () => {
  const { events, open } = lab();
  const client = await open("/api/v1/stream/alerts?severity=critical");
  events[0]!.emit("alert", { name: "A", state: "firing", severity: "warning" });
  events[0]!.emit("alert", { name: "B", state: "firing", severity: "critical" });
  expect((await client.take(1))[0]!.data.name).toBe("B");
});

test("GET stream/* refuses what it does not understand, and says what it expects", async () => {
  const { api } = lab();
  const refusals = [
    [`${MEMORIES}?kinds=made`, "kinds"],
    [`${MEMORIES}?space=a%20b`, "space"],
    [`${MEMORIES}?last_event_id=x`, "last_event_id"],
    [`${MEMORIES}?interval=2`, "interval"],
    ["/api/v1/stream/logs?level=loud", "level"],
    ["/api/v1/stream/metrics?interval=0.5", "interval"],
    ["/api/v1/stream/metrics?names=engram_recal_operations_total", "names"],
  ] as const;
  for (const [path, at] of refusals) {
    const { status, json } = await api.get(path);
    expect(status, path).toBe(400);
    expect(json.code, path).toBe("request-invalid");
    expect(json.at ?? json.detail, path).toContain(at);
    expect(json.expected, path).toBeString();
  }
});

test("a slow client loses events, is told how many, and takes no memory for them; others lose nothing", async () => {
  const { api, events, open } = lab();
  const quick = await open(MEMORIES);
  const slow = await slowClient(api.url + MEMORIES);
  const before = await bytesUsed();
  // Far more than the kernel and the buffer hold, at a pace that the rings keep up with.
  const rounds = 150;
  const perRound = 50;
  const big = "x".repeat(2000);
  let quickCount = 0;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < perRound; i++) events[0]!.emit("formed", formed(`${round}.${i}.${big}`));
    for (const { event } of await quick.take(perRound)) if (event === "formed") quickCount += 1;
  }
  expect(quickCount).toBe(rounds * perRound);
  expect((await bytesUsed()) - before).toBeLessThan(40e6);
  events[1]!.emit("forgotten", { space: "default", id: "last", reason: "asked" });

  const seen = await slow.readUntil((text) => text.includes('"code":"client-slow"'));
  const lost = Number(/"lost":(\d+)/.exec(seen)![1]);
  const received = seen.split("event: formed").length - 1;
  expect(received).toBeGreaterThan(0);
  // The event that woke it up may itself be among those lost.
  expect([rounds * perRound, rounds * perRound + 1]).toContain(received + lost);
  slow.close();
}, 60_000);

test("streams are limited in number, and their places are free again when clients have gone", async () => {
  const { api, open } = lab({
    settings: (standard) => ({ ...standard, limits: { ...standard.limits, streamClientsMax: 2 } }),
  });
  const first = await open(MEMORIES);
  await open("/api/v1/stream/logs");
  const refused = await api.get(MEMORIES);
  expect(refused.status).toBe(503);
  expect(refused.json.code).toBe("streams-full");
  expect(refused.headers.get("retry-after")).toBe("5");
  first.close();
  const giveUpAt = performance.now() + 5000;
  while (api.server.inFlight() > 1 && performance.now() < giveUpAt) await Bun.sleep(5);
  await open(MEMORIES);
});

test("a quiet stream sends heartbeats", async () => {
  const { events, open } = lab({
    settings: (standard) => ({ ...standard, limits: { ...standard.limits, streamBeatMs: 20 } }),
  });
  const client = await open(MEMORIES);
  await Bun.sleep(200);
  events[0]!.emit("formed", formed("a"));
  await client.take(1);
  expect(client.comments).toBeGreaterThan(2);
});

test("a stop ends the streams at once, those of clients that do not read among them", async () => {
  const { api, events, open } = lab();
  const client = await open(MEMORIES);
  const slow = await slowClient(api.url + MEMORIES);
  const big = "x".repeat(60_000);
  for (let i = 0; i < 200; i++) {
    events[0]!.emit("formed", formed(`${i}${big}`));
    if (i % 2 === 1) await client.take(2);
  }
  const startedAt = performance.now();
  const outcome = await api.server.stop(5000);
  expect(outcome).toBe("drained");
  expect(performance.now() - startedAt).toBeLessThan(4000);
  for (;;) if ((await client.next()) === undefined) break;
  slow.close();
});

test("GET stream/metrics sends counters with rates, gauges and quantiles, of the names asked for", async () => {
  const { api, open } = lab();
  const client = await open("/api/v1/stream/metrics?names=engram_http_*,engram_stream_clients&interval=1");
  // The first was sent while the stream was being opened, and not counted yet.
  const [opening, first] = await client.take(2);
  for (let i = 0; i < 5; i++) await api.get("/api/v1/system/version");
  const [second] = await client.take(1);
  expect(first!.event).toBe("metrics");
  const names = second!.data.metrics.map(({ name }: { name: string }) => name);
  expect(names).toEqual(["engram_http_responses_total", "engram_stream_clients"]);
  const ok = ({ data }: NonNullable<typeof first>) =>
    data.metrics[0].series.find((each: { labels: { status: string } }) => each.labels.status === "2xx");
  expect(opening!.data.metrics.flatMap(({ series }: { series: object[] }) => series)).toSatisfy(
    (all: object[]) => all.every((each) => !("rate" in each)),
  );
  expect(ok(second!).value - ok(first!).value).toBe(5);
  const seconds = (Date.parse(second!.data.time) - Date.parse(first!.data.time)) / 1000;
  expect(ok(second!).rate * seconds).toBeWithin(4.5, 5.5);
  expect(second!.data.metrics[1].series).toEqual([{ labels: {}, value: 1 }]);

  client.close();
  const away = await open("/api/v1/stream/metrics?names=engram_stream_clients", {
    "last-event-id": String(Number(second!.id) - 10_000),
  });
  const [warning] = await away.take(1);
  expect(warning!.data.code).toBe("frames-not-replayed");
  expect(warning!.data.lost).toBeWithin(9, 60);
});

async function bytesUsed(): Promise<number> {
  Bun.gc(true);
  await Bun.sleep(10);
  return process.memoryUsage().heapUsed;
}

/** A client that reads the head and nothing more until it is told to. */
async function slowClient(url: string) {
  const { hostname, port, pathname } = new URL(url);
  let text = "";
  let isReading = false;
  const begun = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (its, bytes) => {
        text += Buffer.from(bytes).toString("latin1");
        begun.resolve();
        if (!isReading) its.pause();
      },
    },
  });
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  await begun.promise;
  return {
    readUntil: async (isThere: (text: string) => boolean): Promise<string> => {
      isReading = true;
      socket.resume();
      const giveUpAt = performance.now() + 10_000;
      while (!isThere(text) && performance.now() < giveUpAt) await Bun.sleep(5);
      return text;
    },
    close: () => socket.terminate(),
  };
}
