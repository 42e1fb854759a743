/** The ticking thread, where the program runs from its sources; in the executable it is `load-worker.ts`. */
import { runTicker, type TickerOrder } from "./ticker-thread.ts";

declare const self: { onmessage: ((event: { data: TickerOrder }) => void) | null };

self.onmessage = ({ data }) => runTicker(data);
