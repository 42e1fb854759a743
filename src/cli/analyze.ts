/** `analyze`: what the counters of a running appliance advise. */
import { type Fact, unavailable } from "../base/fact.ts";
import { analyze } from "../operate/analyze/analyze.ts";
import { measureBandwidth } from "../operate/analyze/bandwidth.ts";
import { bytesText, type Judgement } from "../operate/analyze/judgement.ts";
import { applianceUrl, CLIENT_OPTIONS } from "./appliance-client.ts";
import { type Command, type CommandContext, JSON_OPTION, optionText, present } from "./command.ts";
import { durationMs } from "./duration.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { isLocal } from "./local-address.ts";
import { gatherWork } from "./work-facts.ts";

const LOOKBACK_DEFAULT = "15m";

export const analyzeCommand: Command = {
  name: "analyze",
  summary: "Turn the counters of a running appliance into advice",
  details:
    "Reads the appliance's own history and judges what takes its time: embedding, searching, the log, checkpoints, the\n" +
    "index, threads, caches, memory and NUMA nodes. Each piece of advice says what was measured or estimated, what to\n" +
    "change and what that should do; what can not be told is listed with the reason. A healthy appliance gets no advice.",
  options: [
    { flags: "--lookback <TIME>", about: `how far back, as 5m or 2h (default: ${LOOKBACK_DEFAULT})` },
    {
      flags: "--measure",
      about: "measure what the memory of this machine carries; keeps every core busy for half a second",
    },
    { flags: "--all", about: "print what is fine, too" },
    ...CLIENT_OPTIONS,
    JSON_OPTION,
  ],
  examples: [
    ["engram-appliance analyze", "advice from the last quarter of an hour"],
    ["engram-appliance analyze --lookback 2h --all", "what was fine, too"],
  ],
  run: runAnalyze,
};

async function runAnalyze(context: CommandContext): Promise<number> {
  const lookback = optionText(context, "lookback") ?? LOOKBACK_DEFAULT;
  // Before anything is measured: a lookback that can not be read costs nothing.
  durationMs(lookback, undefined, "lookback");
  const url = applianceUrl(context);
  const memoryBandwidth = await bandwidth(context, url);
  const facts = await gatherWork(context, { lookback, memoryBandwidth });
  const judgements = analyze(facts);
  const shown = { url, window_seconds: facts.windowSeconds, judgements, facts };
  present(context, shown, () => analysisText(judgements, facts.windowSeconds, context));
  if ("value" in memoryBandwidth && context.options["json"] !== true) {
    context.err(`memory carries ${bytesText(memoryBandwidth.value)} a second here\n`);
  }
  return EXIT_CODES.ok.status;
}

async function bandwidth(context: CommandContext, url: string): Promise<Fact<number>> {
  if (context.options["measure"] !== true) {
    return unavailable("what this machine's memory carries was not measured; --measure does it");
  }
  if (!isLocal(url)) {
    return unavailable("the appliance is on another machine: run this command there");
  }
  return measureBandwidth(context.openLoadThread);
}

function analysisText(
  judgements: readonly Judgement[],
  windowSeconds: number,
  context: CommandContext,
): string {
  const advice = judgements.filter((each) => each.verdict === "advice");
  const fine = judgements.filter((each) => each.verdict === "fine");
  const unknown = judgements.filter((each) => each.verdict === "unavailable");
  const lines = [
    `${advice.length === 0 ? "No advice" : `${advice.length} piece${advice.length === 1 ? "" : "s"} of advice`}: ${fine.length} matters are fine, ${unknown.length} can not be told; over ${Math.round(windowSeconds)} s`,
  ];
  for (const [at, each] of advice.entries()) {
    lines.push(
      "",
      `${at + 1}. ${each.title} (${each.topic}, ${each.basis})`,
      `   evidence   ${each.evidence}`,
      `   change     ${each.change}`,
      `   effect     ${each.effect}`,
    );
  }
  const width = Math.max(...judgements.map(({ topic }) => topic.length));
  if (context.options["all"] === true) {
    lines.push("", "Fine:");
    for (const each of fine) lines.push(`   ${each.topic.padEnd(width)}  ${each.evidence} (${each.basis})`);
  }
  if (unknown.length > 0) lines.push("", "Can not be told:");
  for (const each of unknown) lines.push(`   ${each.topic.padEnd(width)}  ${each.reason}`);
  return lines.join("\n");
}
