/**
 * What every thread of the appliance does alike: takes its place, says that it lives, and reports its failure.
 *
 * A thread that throws is not restarted: the invariants that held its memory together may not hold any more,
 * and recovery from the log is the repair. Main hears of it and stops the process.
 */
import { OperatorError } from "../base/errors.ts";
import { makeChanges } from "../config/live-settings.ts";
import type { Settings } from "../config/schema.ts";
import { setThreadCpus, setThreadMemoryPolicy, setThreadName, threadId } from "../ffi/threads.ts";
import {
  RECALL_COUNT_AT,
  RECALL_COUNT_STRIDE,
  THREAD_ALIVE_AT,
  THREAD_PLACE_AT,
  threadPlaceFact,
  threadPlaceOf,
} from "../layout/process-facts.ts";
import { adaptivePolicy } from "../runtime/access-placement.ts";
import type { MemoryPolicy } from "../shm/memory-policy.ts";
import type { Boot, ThreadError, ToThread } from "./boot.ts";
import { tellMain } from "./thread-messages.ts";
import { ThreadProfile } from "./thread-profile.ts";

export { tellMain } from "./thread-messages.ts";

/** The worker's own end of the channel from main. */
declare const self: { onmessage: ((event: { data: Boot | ToThread }) => void) | null };

/** Runs `body` once main has said what this thread is, and hands later messages to what it returns. */
export function runThread(body: (boot: Boot) => Promise<(message: ToThread) => void>): void {
  let started = false;
  const waiting: ToThread[] = [];
  let handler: ((message: ToThread) => void) | undefined;
  let settings: Settings | undefined;
  const profile = new ThreadProfile();
  const hear = (message: ToThread): void => {
    // Changed where they lie, before the thread hears of it: most readers look there at each use.
    if (message.type === "settings") makeChanges(settings!, message.changes);
    handler!(message);
    if (message.type === "profile") profile.follow(message.run);
    if (message.type === "settings") tellMain({ type: "settings-applied", version: message.version });
  };
  self.onmessage = ({ data }) => {
    if (data.type !== "boot") {
      if (handler === undefined) waiting.push(data);
      else hear(data);
      return;
    }
    if (started) return;
    started = true;
    settings = data.settings;
    takePlace(data);
    publishPlace(data);
    body(data).then(
      (ready) => {
        handler = ready;
        for (const message of waiting.splice(0)) hear(message);
      },
      (error) => failThread(error),
    );
  };
  process.on("unhandledRejection", failThread);
  process.on("uncaughtException", failThread);
}

export function failThread(error: unknown): void {
  tellMain({ type: "failed", error: threadError(error) });
}

export function threadError(error: unknown): ThreadError {
  if (error instanceof OperatorError) {
    return {
      name: error.name,
      message: error.message,
      stack: error.stack,
      code: error.code,
      remedy: error.remedy,
    };
  }
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack };
  return { name: "Error", message: String(error), stack: undefined };
}

/** Says which thread this is to the kernel, so that the collector of its node can count what it does. */
function publishPlace(boot: Boot): void {
  const facts = new Float64Array(boot.shared.processFacts);
  facts[THREAD_PLACE_AT + threadIndex(boot)] = threadPlaceFact(threadId(), boot.place.node);
}

/** Marks the thread alive, now and from time to time, for the watchdog and health. */
export function aliveMarker(boot: Boot): () => void {
  const facts = new Float64Array(boot.shared.processFacts);
  const at = THREAD_ALIVE_AT + threadIndex(boot);
  return () => {
    facts[at] = Date.now();
  };
}

/** Threads of all roles are numbered for the signs of life: API workers, writers, indexers, collectors, background. */
export function threadIndex(
  boot: Pick<Boot, "role" | "ordinal" | "apiWorkerCount" | "writerCount" | "indexerCount">,
): number {
  const { role, ordinal, apiWorkerCount, writerCount, indexerCount } = boot;
  switch (role) {
    case "api":
      return ordinal;
    case "writer":
      return apiWorkerCount + ordinal;
    case "indexer":
      return apiWorkerCount + writerCount + ordinal;
    case "collector":
      return apiWorkerCount + writerCount + indexerCount + ordinal;
    case "background":
      return apiWorkerCount + 2 * writerCount + indexerCount + ordinal;
  }
}

export function memoryPolicy(boot: Boot): MemoryPolicy {
  const { place, settings } = boot;
  const { node, interleaveNodes, bulkNode } = place;
  const pages = {
    hugePages: settings.memory.huge_pages as MemoryPolicy["hugePages"],
    lock: settings.memory.lock,
  };
  if (settings.numa.strategy === "adaptive" && node !== undefined)
    return adaptivePolicy(pages, node, () => recallsByNode(boot));
  return { ...pages, node: interleaveNodes === undefined ? node : undefined, interleaveNodes, bulkNode };
}

/** Recalls answered since the start, by the node of the workers that answered them. */
function recallsByNode(boot: Boot): ReadonlyMap<number, number> {
  const facts = new Float64Array(boot.shared.processFacts);
  const recalls = new Map<number, number>();
  for (let worker = 0; worker < boot.apiWorkerCount; worker++) {
    const place = threadPlaceOf(facts[THREAD_PLACE_AT + worker]!);
    if (place?.node === undefined) continue;
    const count = facts[RECALL_COUNT_AT + worker * RECALL_COUNT_STRIDE]!;
    recalls.set(place.node, (recalls.get(place.node) ?? 0) + count);
  }
  return recalls;
}

function takePlace(boot: Boot): void {
  const { role, ordinal, place } = boot;
  setThreadName(`${role}-${ordinal}`);
  if (place.cpus !== undefined) {
    const refusal = setThreadCpus(place.cpus);
    if (refusal !== undefined) {
      tellMain({
        type: "log",
        level: "warn",
        text: `${role} ${ordinal} could not be placed on cores ${place.cpus.join()}: ${refusal}`,
      });
    }
  }
  if (place.node !== undefined) {
    // What the thread itself allocates, its JavaScript heap and the graph's working buffers, follows it.
    setThreadMemoryPolicy("preferred", [place.node]);
  }
}
