/** Puts messages of varying length into a ring: their number, then bytes derived from it. */
import { Doorbell } from "../../../src/shm/doorbell.ts";
import { RingProducer } from "../../../src/shm/ring.ts";

export type RingJob = {
  readonly ring: SharedArrayBuffer;
  readonly bells: SharedArrayBuffer;
  readonly messageCount: number;
  readonly payloadBytesMax: number;
};

/** Length of message `index`: all lengths from 8 on, in an order that wraps at odd places. */
export function payloadBytesOf(index: number, payloadBytesMax: number): number {
  return 8 + ((index * 7919) % (payloadBytesMax - 8));
}

declare const self: { onmessage: ((event: { data: RingJob }) => void) | null };

if (!Bun.isMainThread) {
  self.onmessage = ({ data: { ring, bells, messageCount, payloadBytesMax } }) => {
    const producer = new RingProducer(ring);
    const consumerBell = new Doorbell(bells, 0);
    const roomBell = new Doorbell(bells, 1);
    for (let index = 0; index < messageCount; index++) {
      const bytes = payloadBytesOf(index, payloadBytesMax);
      for (;;) {
        const seen = roomBell.read();
        const at = producer.reserve(bytes);
        if (at >= 0) {
          producer.words[at >>> 2] = index;
          producer.words[(at >>> 2) + 1] = bytes;
          producer.bytes.fill(index & 255, at + 8, at + bytes);
          producer.commit();
          consumerBell.ring();
          break;
        }
        roomBell.wait(seen, 1000);
      }
    }
  };
}
