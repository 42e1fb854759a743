/**
 * What `profile`, `slow-queries` and `analyze` say of one running appliance, in one vocabulary.
 *
 * Each tool has words of its own for what it looks at: a stage of an operation, a thread, a matter to be judged. Here
 * they are reduced to the faults that are planted; a word that speaks of none of them stands for itself.
 */
import { join } from "node:path";
import type { Judgement, Topic } from "../../src/operate/analyze/judgement.ts";
import type { Bottleneck } from "../../src/operate/profile/finding.ts";
import type { SlowCause } from "../../src/operate/slow-causes.ts";

export type Fault =
  | "slow_embedding"
  | "starved_cache"
  | "low_ef"
  | "high_ef"
  | "slow_disk"
  | "saturated_worker"
  | "tail_flood"
  | "no_huge_pages"
  | "noisy_tenant"
  | "remote_memory";

const OF_SLOW_QUERIES: Readonly<Partial<Record<SlowCause, Fault>>> = {
  embedding_provider: "slow_embedding",
  cold_cache: "starved_cache",
  low_ef: "low_ef",
  high_ef: "high_ef",
  flush_waits: "slow_disk",
  unindexed_tail: "tail_flood",
  queueing: "saturated_worker",
  remote_node: "remote_memory",
};
/** Its words for the faults are those used here. */
const OF_PROFILE: Readonly<Partial<Record<Bottleneck, Fault>>> = {};
const OF_ANALYZE: Readonly<Partial<Record<Topic, Fault>>> = {
  slow_embedder: "slow_embedding",
  embedding_cache: "starved_cache",
  narrow_search: "low_ef",
  wide_search: "high_ef",
  tail_growth: "tail_flood",
  slow_indexing: "tail_flood",
  busy_thread: "saturated_worker",
  huge_pages: "no_huge_pages",
  remote_accesses: "remote_memory",
};

export type Tool = "profile" | "analyze" | "slow-queries";

/** What each tool names, first things first; nothing where it sees no fault. */
export type Diagnosis = Readonly<Record<Tool, readonly string[]>>;

/** What says that others take the cores: no wrong name where they do. */
export const OF_CROWDED_CORES: readonly string[] = ["run_queue", "processor_taken", "event_loop_delay"];

/** Runs a command line of the program. */
export type RunCommand = (words: readonly string[]) => Promise<{
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}>;

/** Asks all three of the same seconds. @param directory for the profile's report */
export async function diagnose(
  url: string,
  {
    run,
    directory,
    seconds,
  }: { readonly run: RunCommand; readonly directory: string; readonly seconds: number },
): Promise<Diagnosis> {
  const json = async (...words: string[]): Promise<unknown> => {
    const { exitCode, out, err } = await run([...words, "--json", "--url", url]);
    if (exitCode !== 0) throw new Error(`${words.join(" ")} ended with ${exitCode}: ${err}`);
    return JSON.parse(out);
  };
  const lookback = `${seconds}s`;
  const profile = (await json(
    "profile",
    "--duration",
    `${seconds}`,
    "--out",
    join(directory, "profile"),
  )) as {
    findings: { cause: Bottleneck }[];
  };
  const analysis = (await json("analyze", "--lookback", lookback)) as { judgements: Judgement[] };
  const slow = (await json("slow-queries", "100ms", lookback)) as { groups: { cause: SlowCause }[] };
  return {
    profile: profile.findings.map(({ cause }) => OF_PROFILE[cause] ?? cause),
    analyze: analysis.judgements
      .filter(({ verdict }) => verdict === "advice")
      .map(({ topic }) => OF_ANALYZE[topic] ?? topic),
    "slow-queries": slow.groups.map(({ cause }) => OF_SLOW_QUERIES[cause] ?? cause),
  };
}

/**
 * What the three name first together: what most of them do that name any; of a tie, the word of the profile.
 *
 * @param passedOver words that do not count
 */
export function namedFirst(diagnosis: Diagnosis, passedOver: readonly string[]): string | undefined {
  const firsts = [diagnosis.profile, diagnosis.analyze, diagnosis["slow-queries"]].flatMap(
    (words) => words.find((word) => !passedOver.includes(word)) ?? [],
  );
  const votes = (word: string): number => firsts.filter((each) => each === word).length;
  return firsts.reduce<string | undefined>(
    (best, each) => (best === undefined || votes(each) > votes(best) ? each : best),
    undefined,
  );
}
