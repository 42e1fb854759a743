/** The rings of one producing thread to every home writer. */
import { WriteClient } from "../engine/write-client.ts";
import { Doorbell } from "../shm/doorbell.ts";
import { RingConsumer, RingProducer } from "../shm/ring.ts";
import type { Boot } from "./boot.ts";

/** @param producer API workers count from 0; the background thread comes behind them */
export function openWriteClient(boot: Boot, producer: number, queueMax: number): WriteClient {
  const { shared } = boot;
  return new WriteClient({
    links: shared.requestRings[producer]!.map((ring, writer) => ({
      requests: new RingProducer(ring),
      replies: new RingConsumer(shared.replyRings[producer]![writer]!),
      writerDoorbell: new Doorbell(shared.writerDoorbells[writer]!),
    })),
    doorbell: new Doorbell(shared.producerDoorbells[producer]!),
    queueMax,
  });
}
