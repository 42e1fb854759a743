/** A thread of the load generator starts here: a message says whether it sends requests, ticks, or copies memory. */
import { type CopyOrder, runCopy } from "./operate/analyze/bandwidth.ts";
import { type LoadOrder, runLoadOrder } from "./operate/bench/load-thread.ts";
import { runTicker, type TickerOrder } from "./operate/load/ticker-thread.ts";

declare const self: {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: LoadOrder | TickerOrder | CopyOrder }) => void) | null;
};

self.onmessage = ({ data }) => {
  if (data.type === "ticks") {
    runTicker(data);
    return;
  }
  if (data.type === "copy") {
    self.postMessage(runCopy(data));
    return;
  }
  runLoadOrder(data).then(
    (outcome) => self.postMessage(outcome),
    (error: unknown) =>
      self.postMessage({ type: "failed", message: error instanceof Error ? error.message : String(error) }),
  );
};
