/** The other side of the ping-pong in `hardware-counters.bench.ts`: answers every ring by one. */
import { threadId } from "../../src/ffi/threads.ts";

declare const self: {
  postMessage(message: number): void;
  onmessage: ((event: { data: SharedArrayBuffer }) => void) | null;
};

self.onmessage = ({ data }) => {
  const words = new Int32Array(data);
  self.postMessage(threadId());
  for (let seen = 0; ; ) {
    Atomics.wait(words, 0, seen);
    seen = Atomics.load(words, 0);
    Atomics.store(words, 1, seen);
    Atomics.notify(words, 1);
  }
};
