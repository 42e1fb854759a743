/** Many clients at once, and a stop in the middle of their work. */
import { expect, test } from "bun:test";
import { answered, streamDetail } from "../support/appliance-client.ts";
import { ApplianceProcess, eventually, LONG, ScratchDirectory } from "../support/appliance-process.ts";
import { RawClient, type RawReply } from "../support/raw-client.ts";

const REMEMBER = "/api/v1/memories/remember";
const CLIENTS = 1000;
const ROUNDS = LONG ? 20 : 3;
/** What a thousand connections and their requests may add to the process. */
const GROWN_BYTES_MAX = 150 * 1024 * 1024;

test(
  `${CLIENTS} clients connected at once are all answered, in bounded memory`,
  async () => {
    using directory = new ScratchDirectory("clients");
    await using appliance = await ApplianceProcess.start({
      data: directory.data,
      settings: { "thread_pools.api_workers": 2 },
    });
    answered(await appliance.client.remember({ id: "known", content: "what everyone asks for" }));
    const before = appliance.residentBytes();
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => RawClient.connect(appliance.url)),
    );
    let highest = 0;
    const watch = setInterval(() => {
      highest = Math.max(highest, appliance.residentBytes());
    }, 20);
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const replies = await Promise.all(
          clients.map((client, index) =>
            index % 3 === 0
              ? client.request("POST", REMEMBER, {
                  id: `${round}/${index}`,
                  content: `client ${index} writes`,
                })
              : client.request("GET", "/api/v1/memories/recall?query=everyone&limit=1"),
          ),
        );
        const statuses = new Map<unknown, number>();
        for (const reply of replies) {
          const status = reply === "closed" ? reply : reply.status;
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
        const writers = Math.ceil(CLIENTS / 3);
        expect(Object.fromEntries(statuses), `round ${round}`).toEqual({
          200: CLIENTS - writers,
          201: writers,
        });
      }
    } finally {
      clearInterval(watch);
      for (const client of clients) client.close();
    }
    const grown = Math.max(highest, appliance.residentBytes()) - before;
    console.log(
      `${CLIENTS} clients, ${ROUNDS} requests each: resident memory ${(before / 2 ** 20).toFixed(0)} MiB, at most ${(grown / 2 ** 20).toFixed(0)} more`,
    );
    expect(grown).toBeLessThan(GROWN_BYTES_MAX);
    const { memories } = answered(await appliance.client.space("default"));
    expect(memories).toBe(1 + ROUNDS * Math.ceil(CLIENTS / 3));
    expect(await appliance.stop()).toBe(0);
  },
  LONG ? 300_000 : 60_000,
);

test("SIGTERM under load answers what is under way, ends with 0 in time, and leaves nothing to replay", async () => {
  using directory = new ScratchDirectory("stop");
  const drainS = 5;
  const start = {
    data: directory.data,
    settings: { "thread_pools.api_workers": 2, "server.drain_timeout_s": drainS },
  };
  const stored = new Set<string>();
  const maybe = new Set<string>();
  const unanswered: string[] = [];
  let refused = 0;
  {
    await using appliance = await ApplianceProcess.start(start);
    let next = 0;
    let signalledAt = Number.POSITIVE_INFINITY;
    const work = async (kind: "one" | "batch"): Promise<void> => {
      const client = await RawClient.connect(appliance.url);
      for (;;) {
        const ids = Array.from({ length: kind === "one" ? 1 : 100 }, () => `m${next++}`);
        const memories = ids.map((id) => ({ id, content: `memory ${id} of a client that is cut off` }));
        const sentAt = performance.now();
        const reply =
          kind === "one"
            ? await client.request("POST", REMEMBER, memories[0])
            : await client.request("POST", `${REMEMBER}/batch`, { memories });
        if (reply === "closed") {
          for (const id of ids) maybe.add(id);
          // Sent on an open connection before the signal: it was under way.
          if (sentAt < signalledAt)
            unanswered.push(`${ids[0]}, sent ${signalledAt - sentAt} ms before the signal`);
          return;
        }
        if (isShuttingDown(reply)) {
          refused += 1;
          return;
        }
        expect(reply.status).toBe(201);
        for (const id of ids) stored.add(id);
      }
    };
    const clients = [...Array.from({ length: 24 }, () => work("one")), work("batch"), work("batch")];
    await eventually("every client is in the middle of its work", () => stored.size > 300);
    signalledAt = performance.now();
    const status = await appliance.stop();
    const tookMs = performance.now() - signalledAt;
    await Promise.all(clients);
    console.log(
      `stopped in ${tookMs.toFixed(0)} ms; ${stored.size} stored, ${refused} clients refused, ${maybe.size} memories unanswered`,
    );
    expect(status, appliance.stderr).toBe(0);
    expect(tookMs).toBeLessThan(drainS * 1000 + 5000);
    expect(unanswered).toEqual([]);
  }
  await using appliance = await ApplianceProcess.start(start);
  expect(streamDetail(await appliance.client.health(), "log")["replayed_records"]).toBe(0);
  const listed = new Set((await appliance.client.listAll(undefined, 1000)).map(({ id }) => id));
  expect([...stored].filter((id) => !listed.has(id))).toEqual([]);
  expect([...listed].filter((id) => !stored.has(id) && !maybe.has(id))).toEqual([]);
}, 60_000);

function isShuttingDown(reply: RawReply): boolean {
  return reply.status === 503 && JSON.parse(reply.body).code === "shutting-down";
}
