/** Every call is answered, with the durability that was asked for, at whatever moment it comes. */
import { expect, test } from "bun:test";
import type { Ack } from "../../src/engine/engine.ts";
import { answered, streamDetail } from "../support/appliance-client.ts";
import { ApplianceProcess, eventually, ScratchDirectory } from "../support/appliance-process.ts";

const ACKS: readonly Ack[] = ["memory", "wal", "fsync"];

for (const mode of ["immediate", "batch"] as const) {
  test(`every ack is answered with sync_mode ${mode}, when nothing else is written, too`, async () => {
    using directory = new ScratchDirectory("ack");
    await using appliance = await ApplianceProcess.start({
      data: directory.data,
      settings: { "wal.sync_mode": mode, "thread_pools.api_workers": 1 },
    });
    const { client } = appliance;
    const atRest = () =>
      eventually("everything written is durable", async () => {
        const { appended_sequence, synced_sequence } = streamDetail(await client.health(), "log");
        return appended_sequence === synced_sequence;
      });
    for (const ack of ACKS) {
      const id = `m-${ack}`;
      const stored = answered(await client.remember({ id, content: "one", ack }));
      expect(stored).toMatchObject({ outcome: "stored", ack });
      await atRest();
      const kept = answered(await client.remember({ id, content: "two", ack, if_exists: "keep" }));
      expect(kept).toMatchObject({ outcome: "kept", ack, stored_at: stored.stored_at });
      expect(answered(await client.get(id)).content).toBe("one");
      await atRest();
      const refused = await client.remember({ id, content: "three", ack });
      expect(refused).toMatchObject({ status: 409, body: { code: "memory-exists" } });
      const batch = answered(
        await client.rememberBatch(
          [
            { id, content: "four", if_exists: "keep" },
            { id: `${id}-new`, content: "five" },
          ],
          { ack },
        ),
      );
      expect(batch).toMatchObject({ stored: 2, failed: 0 });
      await atRest();
      expect(answered(await client.forget(id, ack))).toMatchObject({ forgotten: true, ack });
      await atRest();
      expect(await client.forget(id, ack)).toMatchObject({ status: 404, body: { code: "memory-not-found" } });
    }
    expect(await appliance.stop()).toBe(0);
  }, 15_000);
}
