/** Event streams of a running appliance: what one thread does is told by another, and a stop ends them cleanly. */
import { expect, test } from "bun:test";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";
import { EventSourceClient } from "../support/event-source.ts";

const SETTINGS = { "thread_pools.api_workers": 3, "thread_pools.index_workers": 1, "numa.enabled": false };

test("GET stream/* of any worker tells what all workers did, once each, and ends with the appliance", async () => {
  using scratch = new ScratchDirectory("streams");
  await using appliance = await ApplianceProcess.start({ data: scratch.data, settings: SETTINGS });
  const { client, url } = appliance;
  const count = 60;
  // Several connections, which the kernel spreads over the workers.
  const streams = await Promise.all(
    Array.from({ length: 4 }, () => EventSourceClient.open(`${url}/api/v1/stream/memories`)),
  );
  const logs = await EventSourceClient.open(`${url}/api/v1/stream/logs?level=debug`);
  const metrics = await EventSourceClient.open(`${url}/api/v1/stream/metrics?names=engram_stream_clients`);
  for (let i = 0; i < count; i++) {
    const connection = { connection: "close" };
    const body = JSON.stringify({ id: `wave-${i}`, content: `the ${i}th wave came in at dusk` });
    const headers = { "content-type": "application/json", ...connection };
    await fetch(`${url}/api/v1/memories/remember`, { method: "POST", headers, body });
  }
  await client.recall({ query: "wave at dusk", limit: 3, mode: "words" });
  for (const stream of streams) {
    const events = await stream.take(count + 1);
    expect(events.slice(0, count).map(({ event, data }) => `${event} ${data.id}`)).toEqual(
      Array.from({ length: count }, (_, i) => `formed wave-${i}`),
    );
    expect(events[count]!.event).toBe("recalled");
    expect(events[count]!.data).toMatchObject({ space: "default", mode: "words", count: 3 });
    // Whichever worker answers: it goes on where another one was.
    const again = await EventSourceClient.open(`${url}/api/v1/stream/memories`, {
      "last-event-id": events[count - 3]!.id!,
    });
    expect((await again.take(3)).map(({ data }) => data.id)).toEqual(["wave-58", "wave-59", undefined]);
    again.close();
  }
  // The collectors have summed up after a second or two.
  let clients = 0;
  for (let frame = 0; frame < 5 && clients !== 6; frame++) {
    clients = (await metrics.take(1))[0]!.data.metrics[0]?.series[0].value ?? 0;
  }
  expect(clients).toBe(6);

  const stopped = appliance.stop();
  const last = await logs.next();
  expect(last === undefined || last.event === "log").toBe(true);
  for (const stream of streams) expect(await stream.next()).toBeUndefined();
  expect(await stopped).toBe(0);
}, 60_000);
