/** API workers start here, with the HTTP side that other threads do without. */
import { startApi } from "./appliance/api-thread.ts";
import { runThread } from "./appliance/thread.ts";

runThread(startApi);
