/**
 * What tuning would change, and why: a pure function of the work that was done and the machine it was done on.
 *
 * A setting is proposed only where the work shows that it costs something (`analyze`), or where it can not fit the
 * machine; then it goes back to a value that is known to be good, never to an extreme. So a good configuration gets
 * an empty plan. Whether a change helped is not decided here: it is measured.
 */
import { type Fact, factValue } from "../../base/fact.ts";
import { findSetting, type SettingValue } from "../../config/schema.ts";
import { analyze } from "../analyze/analyze.ts";
import type { WorkFacts } from "../analyze/facts.ts";
import type { Advice, Topic } from "../analyze/judgement.ts";
import { RULES, type TuneRule } from "./rules.ts";

export const PROFILES = ["read-heavy", "write-heavy", "balanced", "memory-constrained"] as const;
export type Profile = (typeof PROFILES)[number];

/** The machine, as far as settings depend on it. */
export type HostFacts = {
  readonly cores: number;
  readonly memoryBytes: Fact<number>;
  readonly memoryAvailableBytes: Fact<number>;
  readonly numaNodes: Fact<number>;
  /** of the vector instructions that the kernels know */
  readonly vectorInstructions: Fact<readonly string[]>;
  readonly diskTurns: Fact<boolean>;
  readonly syncMedianMs: Fact<number>;
};

/** What a change is for: answers sooner, finds more, or takes less memory. */
export type Aim = "speed" | "accuracy" | "memory";

export type Change = {
  readonly path: string;
  readonly from: SettingValue;
  readonly to: SettingValue;
  /** takes effect while the appliance runs */
  readonly isLive: boolean;
  readonly aim: Aim;
  readonly reason: string;
  /** the figures that speak for it */
  readonly evidence: string;
};

export type Plan = {
  readonly profile: Profile;
  /** why this profile, where it was found out */
  readonly profileReason: string;
  readonly changes: readonly Change[];
};

const READ_HEAVY_MIN = 0.8;
const WRITE_HEAVY_MAX = 0.35;
const OPERATIONS_MIN = 20;
/** Of the machine's memory: what is left for others when it counts as scarce. */
const MEMORY_SCARCE = 0.08;

export function planTuning(facts: WorkFacts, host: HostFacts, wanted: Profile | "auto"): Plan {
  const { profile, profileReason } =
    wanted === "auto" ? profileOf(facts, host) : { profile: wanted, profileReason: "as it was asked for" };
  const advised = new Map<Topic, Advice>();
  for (const each of analyze(facts)) if (each.verdict === "advice") advised.set(each.topic, each);
  const changes = new Map<string, Change>();
  for (const rule of RULES) {
    for (const proposed of (rule satisfies TuneRule)({ facts, host, profile, advised })) {
      const setting = findSetting(proposed.path);
      const from = "value" in facts.settings ? facts.settings.value[proposed.path] : undefined;
      if (setting === undefined || from === undefined || from === proposed.to) continue;
      if (changes.has(proposed.path)) continue;
      changes.set(proposed.path, { ...proposed, from, isLive: setting.facts.live === true });
    }
  }
  return { profile, profileReason, changes: [...changes.values()] };
}

/** Of the recalls and stores, the share that recalls; undefined where there were hardly any. */
export function readShare({ operations }: Pick<WorkFacts, "operations">): number | undefined {
  const recalls = operations["recall"]?.count ?? 0;
  const all = recalls + (operations["remember"]?.count ?? 0);
  return all < OPERATIONS_MIN ? undefined : recalls / all;
}

function profileOf(facts: WorkFacts, host: HostFacts): Omit<Plan, "changes"> {
  const total = factValue(host.memoryBytes);
  const available = factValue(host.memoryAvailableBytes);
  if (total !== undefined && available !== undefined && available < total * MEMORY_SCARCE) {
    const left = Math.round((available / total) * 100);
    return { profile: "memory-constrained", profileReason: `${left} % of the memory is left` };
  }
  const share = readShare(facts);
  if (share === undefined) {
    return { profile: "balanced", profileReason: "hardly anything was asked of it in this time" };
  }
  const profileReason = `${Math.round(share * 100)} % of the calls were recalls`;
  if (share >= READ_HEAVY_MIN) return { profile: "read-heavy", profileReason };
  return { profile: share <= WRITE_HEAVY_MAX ? "write-heavy" : "balanced", profileReason };
}
