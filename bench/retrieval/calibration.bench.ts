/**
 * How often does a memory answer its question when the appliance says how likely it is?
 *
 * Each conversation becomes a space, its questions are asked of `GET /api/v1/query/probabilistic`, and every memory
 * answered is an example: the facts its evidence is made of, and whether it is among the turns that answer the question.
 * Weights (logistic regression) and pools are fitted to all conversations but one and asked of the one left out, so
 * that what is reported was not seen by the fit. At the end stand the weights and pools of all of them, which
 * `src/cognition/relevance.ts` holds; those in force are measured beside.
 *
 * Expected: two of ten memories of a list carry most of the probability, the base rate is 9 %; held out, an expected
 * calibration error of 0.02 to 0.03 for one conversation (4 of 10 bins hold a few dozen examples), below 0.01 over all.
 *
 *   bun bench/retrieval/calibration.bench.ts [--small] [--seed N] [--json FILE]
 *
 * --small asks 60 questions of each conversation.
 */
import { expectedCalibrationError, fitPools } from "../../src/cognition/calibration.ts";
import {
  calibratedRelevance,
  type RelevanceFacts,
  type RelevanceModel,
  relevanceEvidence,
} from "../../src/cognition/relevance.ts";
import { Appliance, applianceCommand, benchDirectory } from "../support/appliance.ts";
import { benchArguments, Report } from "../support/report.ts";
import { type Conversation, loadConversations, missingConversations } from "./conversations.ts";

/** One memory of one answer. */
export type Example = {
  readonly facts: RelevanceFacts;
  readonly isRight: boolean;
  /** as the appliance said it */
  readonly probability: number;
};

/** One call, as the test or the bench makes it; the body of the answer. */
export type Ask = (method: string, path: string, space: string, body?: unknown) => Promise<unknown>;

const LIMIT = 10;
const POOL_MIN = 150;
const STEPS = 3000;
const RATE = 0.5;
const BATCH = 500;
const SETTLED_MS_MAX = 30_000;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const missing = missingConversations();
  if (missing !== undefined) {
    console.log(`skipped: ${missing}`);
    return;
  }
  const given = benchArguments();
  const conversations = loadConversations().map((each) =>
    given.isSmall ? { ...each, questions: each.questions.slice(0, 60) } : each,
  );
  const { command, text } = applianceCommand(given.binary);
  const directory = benchDirectory();
  const appliance = await Appliance.start({ directory: directory.path, command });
  try {
    const report = new Report({
      name: "retrieval/calibration",
      arguments: given,
      server: text,
      parameters: { conversations: conversations.length, memories: LIMIT },
    });
    const ask: Ask = async (method, path, space, body) => {
      const response = await fetch(`${appliance.url}${path}`, {
        method,
        headers: { "content-type": "application/json", "x-memory-space": space },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return response.json();
    };
    const sets: Example[][] = [];
    for (const conversation of conversations) {
      await storeConversation(conversation, conversation.name, ask);
      sets.push(await examplesOf(conversation, conversation.name, ask));
    }
    tell(report, sets);
    await appliance.stop();
    report.finish();
  } finally {
    await appliance.kill();
    directory.remove();
  }
}

function tell(report: Report, sets: readonly (readonly Example[])[]): void {
  const all = sets.flat();
  const right = all.filter(({ isRight }) => isRight).length;
  report.line("examples", `${all.length}, ${right} of them right`);
  const held = heldOutErrors(sets);
  report.line("held out", `${held.each.map((error) => error.toFixed(3)).join(", ")} by conversation`);
  report.target({ name: "calibration error, held out, over all", figure: held.all, unit: "", atMost: 0.03 });
  const served = expectedCalibrationError(all);
  report.target({ name: "calibration error of what is served", figure: served, unit: "", atMost: 0.05 });
  const { weights, pools } = fitRelevance(all);
  report.line("weights", JSON.stringify(weights));
  report.line(
    "pools",
    JSON.stringify(
      pools.map(({ evidence, count, rightCount }) => [Number(evidence.toFixed(4)), count, rightCount]),
    ),
  );
}

/** Stores the turns of a conversation, and waits until they are indexed and bound to each other. */
export async function storeConversation({ turns }: Conversation, space: string, ask: Ask): Promise<void> {
  for (let first = 0; first < turns.length; first += BATCH) {
    const memories = turns
      .slice(first, first + BATCH)
      .map(({ id, content, timestampMs }) => ({ id, content, timestamp: timestampMs }));
    await ask("POST", "/api/v1/memories/remember/batch", space, { memories });
  }
  const deadlineMs = performance.now() + SETTLED_MS_MAX;
  for (;;) {
    const { unassociated } = (await ask("GET", `/api/v1/spaces/${space}`, space)) as { unassociated: number };
    if (unassociated === 0 || performance.now() > deadlineMs) return;
    await Bun.sleep(50);
  }
}

/** Asks every question of a conversation whose turns are stored under their positions or ids in `space`. */
export async function examplesOf(conversation: Conversation, space: string, ask: Ask): Promise<Example[]> {
  const examples: Example[] = [];
  for (const { text, evidence } of conversation.questions) {
    const right = new Set(evidence.map((position) => conversation.turns[position]!.id));
    const path = `/api/v1/query/probabilistic?limit=${LIMIT}&query=${encodeURIComponent(text)}`;
    const { results } = (await ask("GET", path, space)) as {
      results: { id: string; probability: number; evidence: { kind: string; value: number }[] }[];
    };
    for (const [i, { id, probability, evidence: shown }] of results.entries()) {
      const shownAs = (kind: string): number => shown.find((each) => each.kind === kind)!.value;
      const facts = { lead: shownAs("lead"), coverage: shownAs("coverage"), rank: i + 1 };
      examples.push({ facts, probability, isRight: right.has(id) });
    }
  }
  return examples;
}

/** Weights by gradient descent on the log loss, and pools over the evidence they give. */
export function fitRelevance(examples: readonly Example[]): RelevanceModel {
  const weights = { bias: 0, lead: 0, coverage: 0, rank: 0 };
  for (let step = 0; step < STEPS; step++) {
    const slope = { bias: 0, lead: 0, coverage: 0, rank: 0 };
    for (const { facts, isRight } of examples) {
      const odds = Math.exp(relevanceEvidence(facts, weights));
      const error = odds / (1 + odds) - (isRight ? 1 : 0);
      slope.bias += error;
      slope.lead += error * facts.lead;
      slope.coverage += error * facts.coverage;
      slope.rank += error * Math.log(facts.rank);
    }
    for (const name of ["bias", "lead", "coverage", "rank"] as const) {
      weights[name] -= (RATE * slope[name]) / examples.length;
    }
  }
  const pools = fitPools(
    examples.map(({ facts, isRight }) => ({ evidence: relevanceEvidence(facts, weights), isRight })),
    POOL_MIN,
  );
  return { weights, pools };
}

/** Expected calibration error on each set, by a model fitted to all the others; and over all of them. */
export function heldOutErrors(sets: readonly (readonly Example[])[]): { each: number[]; all: number } {
  const predictions = sets.map((held, i) => {
    const model = fitRelevance(sets.filter((_, other) => other !== i).flat());
    return held.map(({ facts, isRight }) => ({
      probability: calibratedRelevance(facts, model).probability,
      isRight,
    }));
  });
  return {
    each: predictions.map((each) => expectedCalibrationError(each)),
    all: expectedCalibrationError(predictions.flat()),
  };
}
