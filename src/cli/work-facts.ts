/** The facts of a running appliance, gathered over its API for the commands that judge them. */
import { type Fact, known, unavailable } from "../base/fact.ts";
import type { SettingValues, WorkFacts } from "../operate/analyze/facts.ts";
import { gatherFacts, type Sample } from "../operate/analyze/gather.ts";
import { callAppliance, ProblemError } from "./appliance-client.ts";
import type { CommandContext } from "./command.ts";
import { durationMs } from "./duration.ts";

/** As the query API answers an instant query. */
type Answer = {
  readonly data: {
    readonly resultType: string;
    readonly result: readonly { metric: Record<string, string>; value: readonly [number, string] }[];
  };
};

export async function gatherWork(
  context: CommandContext,
  { lookback, memoryBandwidth }: { readonly lookback: string; readonly memoryBandwidth: Fact<number> },
): Promise<WorkFacts> {
  return gatherFacts({
    ask: (promql) => ask(context, promql),
    lookback,
    lookbackSeconds: durationMs(lookback, undefined, "lookback") / 1000,
    settings: await runningSettings(context),
    memoryBandwidth,
  });
}

/** The settings that run, or that the key may not read them. */
export async function runningSettings(context: CommandContext): Promise<Fact<SettingValues>> {
  try {
    const { settings } = (await callAppliance(context, "GET", "/api/v1/system/settings")) as {
      readonly settings: readonly { readonly name: string; readonly value: SettingValues[string] }[];
    };
    return known(Object.fromEntries(settings.map(({ name, value }) => [name, value])));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return unavailable(`the running settings are not shown to this caller: ${error.message}`);
  }
}

async function ask(context: CommandContext, promql: string): Promise<Sample[]> {
  const path = `/api/v1/query?${new URLSearchParams({ query: promql })}`;
  const { data } = (await callAppliance(context, "GET", path)) as Answer;
  if (data.resultType !== "vector") return [];
  return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}
