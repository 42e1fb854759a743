/** A thread of the load generator starts here: `bench` says in a message whether it sends requests or ticks. */
import { type LoadOrder, runLoadOrder } from "./operate/bench/load-thread.ts";
import { runTicker, type TickerOrder } from "./operate/load/ticker-thread.ts";

declare const self: {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: LoadOrder | TickerOrder }) => void) | null;
};

self.onmessage = ({ data }) => {
  if (data.type === "ticks") {
    runTicker(data);
    return;
  }
  runLoadOrder(data).then(
    (outcome) => self.postMessage(outcome),
    (error: unknown) =>
      self.postMessage({ type: "failed", message: error instanceof Error ? error.message : String(error) }),
  );
};
