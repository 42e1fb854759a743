/**
 * Slow operations grouped by what slowed them, most time first: each group with its evidence, the setting to change
 * and what that should do. A pure function of the operations.
 *
 * An operation belongs to the cause that accounts for most of its time, if that is MAIN_SHARE of it; else to none.
 * Vector searches of a small ef are not slow; where they were kept, a note says that they may miss.
 */
import type { SlowOperation } from "../observe/slow-operation.ts";
import { type Share, type SlowCause, sharesOf } from "./slow-causes.ts";

/** What a cause means and what helps, in words. */
export type SlowAdvice = {
  readonly title: string;
  /** the setting or field to change, and how */
  readonly change: string;
  /** what that should do */
  readonly effect: string;
};

export type SlowGroup = SlowAdvice & {
  readonly cause: SlowCause;
  /** operations that it slowed most */
  readonly count: number;
  /** time it accounts for in all operations */
  readonly lost_ms: number;
  /** of the time of all slow operations */
  readonly share: number;
  readonly basis: Share["basis"];
  /** of the operation it took most from */
  readonly evidence: string;
  readonly operations: readonly string[];
  readonly spaces: readonly string[];
  readonly worst: SlowOperation;
};

export type SlowReport = {
  readonly count: number;
  readonly took_ms: number;
  readonly groups: readonly SlowGroup[];
  /** operations that nothing recorded accounts for */
  readonly unexplained: { readonly count: number; readonly worst: SlowOperation | undefined };
  readonly notes: readonly string[];
};

const MAIN_SHARE = 0.3;
const NAMES_MAX = 5;
/** A walk that keeps fewer candidates often ends before it has seen the nearest. */
const EF_LOW = 16;

export function slowReport(operations: readonly SlowOperation[]): SlowReport {
  const byCause = new Map<SlowCause, { share: Share; operation: SlowOperation }[]>();
  const lostMs = new Map<SlowCause, number>();
  const unexplained: SlowOperation[] = [];
  for (const operation of operations) {
    const shares = sharesOf(operation);
    for (const { cause, ms } of shares) {
      lostMs.set(cause, (lostMs.get(cause) ?? 0) + Math.min(ms, operation.took_ms));
    }
    const [main] = shares;
    if (main === undefined || main.ms < operation.took_ms * MAIN_SHARE) {
      unexplained.push(operation);
      continue;
    }
    const members = byCause.get(main.cause) ?? [];
    members.push({ share: main, operation });
    byCause.set(main.cause, members);
  }
  const tookMs = operations.reduce((sum, { took_ms }) => sum + took_ms, 0);
  const groups = [...byCause].map(([cause, members]): SlowGroup => {
    const worst = members.reduce((a, b) => (b.share.ms > a.share.ms ? b : a));
    const lost = lostMs.get(cause)!;
    return {
      cause,
      ...adviceFor(cause, worst.operation),
      count: members.length,
      lost_ms: lost,
      share: lost / tookMs,
      basis: worst.share.basis,
      evidence: worst.share.evidence,
      operations: namesOf(members.map(({ operation }) => operation.operation)),
      spaces: namesOf(members.map(({ operation }) => operation.space)),
      worst: worst.operation,
    };
  });
  return {
    count: operations.length,
    took_ms: tookMs,
    groups: groups.sort((a, b) => b.lost_ms - a.lost_ms),
    unexplained: { count: unexplained.length, worst: slowestOf(unexplained) },
    notes: notesOn(operations),
  };
}

/** What helps against a cause, in the case of one operation. */
export function adviceFor(cause: SlowCause, worst: SlowOperation): SlowAdvice {
  switch (cause) {
    case "embedding_provider":
      return {
        title: "the embedding server answers slowly",
        change:
          "Give the server more power, or raise embedding.openai.batch_max; see its state: engram-appliance doctor. Callers can send embeddings themselves",
        effect:
          "a recall takes what its search takes; a query asked again takes nothing (embedding.cache_mb)",
      };
    case "cold_cache":
      return worst.embedder?.is_local === false
        ? {
            title: "the cache of embeddings is too small",
            change: "Raise embedding.cache_mb: engram-appliance config set embedding.cache_mb VALUE",
            effect: "queries asked again are not sent to the embedding server any more",
          }
        : {
            title: "what was searched was not in the processor's caches",
            change:
              "Set memory.huge_pages to try or require, and memory.lock to true; the first searches after a start are always cold",
            effect: "a distance takes what it usually does",
          };
    case "unindexed_tail":
      return {
        title: "vectors wait to be indexed",
        change:
          "Raise thread_pools.index_workers where there are cores, or lower index.ef_construction; index.tail_max bounds what a recall scans",
        effect:
          "recalls scan fewer vectors, some 0.05 ms less for 1,000 of 768 dimensions; writers wait less",
      };
    case "high_ef":
      return {
        title: "the graph is searched wider than the answer needs",
        change:
          worst.plan.ef_asked === undefined
            ? "Lower index.ef_search: engram-appliance config set index.ef_search 64"
            : `Send a lower ef with the recall (${worst.plan.ef_asked} was asked for), or none`,
        effect: "the vector search takes time nearly in proportion to ef",
      };
    case "low_ef":
      return {
        title: "a filtered search of small ef had to be finished by a scan",
        change:
          worst.plan.ef_asked === undefined
            ? "Raise index.ef_search: engram-appliance config set index.ef_search 128"
            : `Send a higher ef with the recall (${worst.plan.ef_asked} was asked for)`,
        effect: "the walk finds enough that passes the filters, and nothing is gone over after it",
      };
    case "narrow_filter":
      return {
        title: "filters pass so little that vectors are gone over one by one",
        change: "Keep what is filtered by in a space of its own (X-Memory-Space), or ask with mode=words",
        effect: "the search of a space walks its own graph, whatever the others hold",
      };
    case "wide_fan_out":
      if ((worst.stages_ms.spread ?? 0) > (worst.stages_ms.words ?? 0)) {
        return {
          title: "activation spreads over very many bindings",
          change: "Lower activation.visits or activation.hops, or raise activation.threshold",
          effect: "spreading takes some 20 ns for each binding followed, and only the strongest ones are",
        };
      }
      return {
        title: "the query's words stand in very many memories",
        change:
          "Ask with rarer words, use mode=vector, or divide the space; set spaces.default_language so that stop words are passed over; lower recall.candidates",
        effect: "the word search takes time in proportion to the memories that hold a word of the query",
      };
    case "large_result":
      return {
        title: "large results are read and written out",
        change: "Ask for less: a lower limit, or smaller contents and metadata",
        effect: "reading and writing take time in proportion to the result's bytes",
      };
    case "large_batch":
      return {
        title: "large batches hold the worker",
        change: "Send smaller batches, some hundred memories at once, over several connections",
        effect: "the work is spread over the API workers, and recalls are not held up behind it",
      };
    case "flush_waits":
      return {
        title: "writes wait for the disk",
        change:
          "Put data.dir on a faster disk; ask for ack=wal where the newest writes may be lost with the power; more writers at once share a sync",
        effect:
          "a durable write takes one sync of the disk; see what this one takes: engram-appliance doctor",
      };
    case "queueing":
      return {
        title: "operations wait in line",
        change:
          "Raise thread_pools.api_workers where cores are idle, spread clients over more connections, and look for what holds the worker in the groups beside this one",
        effect: "an operation is answered when its own work is done",
      };
    case "remote_node":
      return {
        title: "memory of another NUMA node is read",
        change:
          "Set numa.strategy to interleaved for spaces that all workers read, or run one appliance on each node",
        effect: "a distance takes what it takes in the node's own memory, or the mean of both",
      };
    case "page_faults":
      return {
        title: "pages are brought in while operations wait",
        change:
          "Add memory or lower what else runs, and set memory.lock to true; reserve huge pages (vm.nr_hugepages) and set memory.huge_pages to require",
        effect: "memories are never swapped out, and 2 MiB are touched at once instead of 4 KiB",
      };
    case "processor_taken":
      return {
        title: "other programs take the processor",
        change:
          "Give the appliance cores of its own (CPUAffinity= or AllowedCPUs= of the unit), or run fewer threads: thread_pools.api_workers, thread_pools.index_workers",
        effect: "a search is not interrupted, and takes what it usually does",
      };
  }
}

function notesOn(operations: readonly SlowOperation[]): string[] {
  const notes: string[] = [];
  const small = operations.filter(
    ({ plan }) => plan.search === "graph" && (plan.ef ?? EF_LOW) < Math.max(EF_LOW, plan.limit ?? 0),
  );
  if (small.length > 0) {
    notes.push(
      `${small.length} of the vector searches kept fewer than ${EF_LOW} candidates (low ef): they are quick and may miss near memories; raise index.ef_search, or the ef that callers send`,
    );
  }
  const remote = operations.filter(({ nodes }) => nodes !== undefined && nodes.worker !== nodes.space);
  if (remote.length > 0) {
    notes.push(
      `${remote.length} of ${operations.length} operations were answered by a worker on another NUMA node than their space's`,
    );
  }
  const failed = operations.filter(({ outcome }) => outcome === "failed" || outcome === "unavailable");
  if (failed.length > 0) {
    const codes = namesOf(failed.map(({ error }) => error ?? "internal"));
    notes.push(`${failed.length} of ${operations.length} operations did not succeed: ${codes.join(", ")}`);
  }
  return notes;
}

function slowestOf(operations: readonly SlowOperation[]): SlowOperation | undefined {
  return operations.reduce<SlowOperation | undefined>(
    (worst, each) => (worst === undefined || each.took_ms > worst.took_ms ? each : worst),
    undefined,
  );
}

/** Distinct names, the most frequent first. */
function namesOf(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, NAMES_MAX)
    .map(([name]) => name);
}
