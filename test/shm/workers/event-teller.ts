/** Tells of memories, numbered, with bodies that follow from the number; as fast as it can, or a few at a time. */
import { type EventMemory, EventWriter } from "../../../src/shm/event-writer.ts";

export type EventJob = {
  readonly memory: EventMemory;
  readonly ringIndex: number;
  readonly eventCount: number;
  /** lets readers come along: a rest after so many events */
  readonly restEvery: number;
};

/** Lengths of all kinds, so that the ring wraps at odd places. */
export function idOf(ringIndex: number, event: number): string {
  return `${ringIndex}.${event}.${"é".repeat((event * 7919) % 300)}`;
}

declare const self: {
  onmessage: ((event: { data: EventJob }) => void) | null;
  postMessage(told: number): void;
};

if (!Bun.isMainThread) {
  self.onmessage = ({ data: { memory, ringIndex, eventCount, restEvery } }) => {
    const events = new EventWriter(memory, ringIndex, () => 1000 + ringIndex);
    for (let event = 0; event < eventCount; event++) {
      if (event % restEvery === restEvery - 1) Bun.sleepSync(1);
      events.emit("formed", { space: "s", id: idOf(ringIndex, event), outcome: "stored" });
    }
    self.postMessage(eventCount);
  };
}
