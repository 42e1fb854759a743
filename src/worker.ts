/**
 * Every thread but main starts here: main says in its first message what the thread is to be. API workers
 * load the HTTP side; the others never do, which keeps them small.
 */
import { runThread } from "./appliance/thread.ts";

runThread(async (boot) => {
  switch (boot.role) {
    case "api":
      return (await import("./appliance/api-thread.ts")).startApi(boot);
    case "writer":
      return (await import("./appliance/writer-thread.ts")).startWriter(boot);
    case "indexer":
      return (await import("./appliance/indexer-thread.ts")).startIndexer(boot);
    case "collector":
      return (await import("./appliance/collector-thread.ts")).startCollector(boot);
    case "background":
      return (await import("./appliance/background-thread.ts")).startBackground(boot);
  }
});
