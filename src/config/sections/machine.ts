/** Settings of the machine: `thread_pools`, `numa`, `memory` and `logging`. */
import { availableParallelism } from "node:os";
import { z } from "zod";
import { choice, toggle, whole } from "../setting.ts";

/** More API workers than this were not seen to help: each answers tens of thousands of requests a second. */
const API_WORKERS_DEFAULT_MAX = 8;

export const threadPoolsSection = z.strictObject({
  api_workers: whole({
    default: () => Math.min(availableParallelism(), API_WORKERS_DEFAULT_MAX),
    defaultText: `one per core, at most ${API_WORKERS_DEFAULT_MAX}`,
    min: 1,
    max: 256,
    unit: "threads",
    about: "Threads that serve HTTP and answer reads",
    tooLow: "Cores stay idle while requests wait",
    tooHigh: "Workers take cores from writers and indexers; each costs some megabytes of memory",
    reader: "src/appliance/start.ts",
  }),
  index_workers: whole({
    default: 1,
    min: 1,
    max: 64,
    unit: "threads",
    about: "Threads that move new vectors into the vector indexes; one at a time to an index",
    tooLow: "The unindexed tail stays long under steady writing, and writers are slowed sooner",
    tooHigh: "Indexing takes cores from requests",
    reader: "src/appliance/start.ts",
  }),
});

export const numaSection = z.strictObject({
  enabled: toggle({
    default: true,
    about: "Whether threads and memory are placed on NUMA nodes",
    on: "Each node has its own writer; a space's memory lies on its home node (needs libnuma.so.1)",
    off: "One writer, and the kernel places memory",
    reader: "src/appliance/start.ts",
  }),
  strategy: choice({
    default: "local",
    about: "Where the memory of a space lies",
    choices: {
      local: "on the home node of the space, next to its writer",
      interleaved: "page by page over all nodes, for spaces larger than one node",
      separated:
        "what is searched (graph, headers, words, bindings, concepts among them) on the home node, contents and exact vectors on the next",
      adaptive: "new memory where the space is read, by the recalls that each node's workers answered",
    },
    reader: "src/appliance/start.ts",
  }),
});

export const memorySection = z.strictObject({
  huge_pages: choice({
    default: "try",
    about: "Whether regions lie on 2 MiB pages",
    choices: {
      try: "reserved huge pages where there are any, else transparent ones, else base pages",
      require: "the appliance refuses to start or grow where no reserved huge page is free",
      off: "base pages only",
    },
    reader: "src/appliance/thread.ts",
  }),
  lock: toggle({
    default: false,
    about: "Whether regions are locked in memory, so that they are never swapped out",
    on: "Needs RLIMIT_MEMLOCK or CAP_IPC_LOCK; the machine must have the memory to spare",
    off: "The kernel may swap out what is seldom read",
    reader: "src/appliance/thread.ts",
  }),
});

export const loggingSection = z.strictObject({
  requests: toggle({
    default: false,
    about: "Whether every request is logged",
    on: "A line of level info for each, with status, duration, space and trace; costs some microseconds a request",
    off: "Only what goes wrong is logged",
    reader: "src/appliance/watch.ts",
  }),
  level: choice({
    default: "info",
    about: "What is written to standard error",
    choices: {
      error: "what failed",
      warn: "what is degraded, too",
      info: "starts, stops, recoveries and checkpoints, too",
      debug: "everything",
    },
    live: true,
    reader: "src/appliance/log-sink.ts",
  }),
  format: choice({
    default: "plain",
    about: "How a log line is written",
    choices: {
      plain: "one line for people, with the priority prefix that journald reads when run by systemd",
      json: "one JSON object a line",
    },
    live: true,
    reader: "src/appliance/log-sink.ts",
  }),
});
