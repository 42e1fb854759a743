/** What `tune` says: the machine, the work, the plan, and what became of it. */
import type { Fact } from "../../base/fact.ts";
import type { WorkFacts } from "../../operate/analyze/facts.ts";
import { bytesText, percent } from "../../operate/analyze/judgement.ts";
import type { Workload } from "../../operate/bench/workloads.ts";
import { type Change, type HostFacts, type Plan, readShare } from "../../operate/tune/plan.ts";
import type { Applied } from "./apply.ts";

export function hostText(host: HostFacts, facts: WorkFacts): string {
  const share = readShare(facts);
  const recalls = facts.operations["recall"]?.count ?? 0;
  const results = recalls === 0 ? "none" : Number((facts.recall.results / recalls).toPrecision(2));
  const lines = [
    `machine    ${host.cores} cores, ${told(host.memoryBytes, bytesText)} of memory (${told(host.memoryAvailableBytes, bytesText)} free), ${told(host.numaNodes, (count) => `${count} NUMA node${count === 1 ? "" : "s"}`)}, vectors ${told(host.vectorInstructions, (names) => names.join(" ") || "plain")}`,
    `disk       ${told(host.diskTurns, (turns) => (turns ? "turning" : "solid-state"))}, a sync takes ${told(host.syncMedianMs, (ms) => `${Number(ms.toPrecision(2))} ms`)}`,
    `work       ${share === undefined ? "hardly any" : `${percent(share)} recalls`} in the last ${Math.round(facts.windowSeconds)} s, ${results} results a recall; ${Math.round(facts.memories.count)} memories in ${Math.round(facts.memories.spaces)} spaces, ${Math.round(facts.index.vectors)} vectors in graphs`,
  ];
  return `${lines.join("\n")}\n`;
}

export function planText({ profile, profileReason, changes }: Plan, notes: readonly string[]): string {
  const lines = [`profile    ${profile}: ${profileReason}`, ""];
  if (changes.length === 0) lines.push("Nothing to change: no setting was seen to cost anything.");
  for (const change of changes) lines.push(...changeLines(change));
  for (const note of notes) lines.push(`Note: ${note}`);
  return `${lines.join("\n")}\n`;
}

export function changeLines({ path, from, to, isLive, aim, reason, evidence }: Change): string[] {
  return [
    `${path}: ${from} -> ${to} (${isLive ? "live" : "needs a restart"}, for ${aim})`,
    `   why        ${reason}`,
    `   evidence   ${evidence}`,
  ];
}

export function workloadText({ about }: Workload, durationSeconds: number): string {
  return `It is measured before and after, ${durationSeconds} s each, with ${about}.\n`;
}

export function appliedText(applied: Applied, auditFile: string): string {
  const lines: string[] = [];
  for (const { figure, before, now, unit, outcome } of applied.comparison?.verdicts ?? []) {
    lines.push(
      `${outcome.toUpperCase().padEnd(7)}${figure}: ${short(before)} -> ${short(now)} ${unit}`.trimEnd(),
    );
  }
  const [before, after] = [applied.before?.recall, applied.after?.recall];
  if (before !== undefined && after !== undefined) {
    lines.push(`recall@10 against exact search: ${before.toFixed(2)} -> ${after.toFixed(2)}`);
  }
  if (applied.isCancelled) lines.push("Interrupted: everything is as it was.");
  else if (applied.verdict !== undefined) {
    lines.push(`${applied.verdict.isKept ? "Kept" : "Taken back"}: ${applied.verdict.reason}.`);
  }
  if (applied.waiting.length > 0) {
    const names = applied.waiting.map(({ path, to }) => `${path} = ${to}`).join(", ");
    lines.push(`Written, and in force after a restart: ${names}. Whether it helps was not measured.`);
  }
  lines.push(...applied.notes.map((note) => `Note: ${note}`), `Audit log: ${auditFile}`);
  return `${lines.join("\n")}\n`;
}

function told<T>(fact: Fact<T>, text: (value: T) => string): string {
  return "value" in fact ? text(fact.value) : `unknown (${fact.unavailable})`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
