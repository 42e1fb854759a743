/**
 * Every thread but main and the API workers starts here: main says in its first message what the thread is to
 * be. The HTTP side is not part of this bundle, because parsing it costs each thread tens of milliseconds.
 */

import { runThread } from "./appliance/thread.ts";
import { assert } from "./base/assert.ts";

runThread(async (boot) => {
  switch (boot.role) {
    case "writer":
      return (await import("./appliance/writer-thread.ts")).startWriter(boot);
    case "indexer":
      return (await import("./appliance/indexer-thread.ts")).startIndexer(boot);
    case "collector":
      return (await import("./appliance/collector-thread.ts")).startCollector(boot);
    case "background":
      return (await import("./appliance/background-thread.ts")).startBackground(boot);
    default:
      assert(false, `a thread for ${boot.role} starts in its own bundle`);
  }
});
