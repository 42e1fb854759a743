/** How a thread of the appliance speaks to main. */
import type { FromThread } from "./boot.ts";

/** The worker's own end of the channel to main. */
declare const self: { postMessage(message: FromThread): void };

export function tellMain(message: FromThread): void {
  self.postMessage(message);
}
