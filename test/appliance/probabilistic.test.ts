/** The probabilities that HTTP answers: what they rest on, what widens them, and whether they come true. */
import { expect, test } from "bun:test";
import type { z } from "zod";
import {
  type Ask,
  examplesOf,
  heldOutErrors,
  storeConversation,
} from "../../bench/retrieval/calibration.bench.ts";
import { loadConversations, missingConversations } from "../../bench/retrieval/conversations.ts";
import type { probabilisticReply } from "../../src/api/probabilistic.contract.ts";
import { expectedCalibrationError } from "../../src/cognition/calibration.ts";
import { type ApplianceClient, answered } from "../support/appliance-client.ts";
import { ApplianceProcess, ScratchDirectory } from "../support/appliance-process.ts";

type ProbabilisticReply = z.output<typeof probabilisticReply>;

const SETTINGS = { "thread_pools.api_workers": 1 };
/** The bound that docs/PROMISES.md states. */
const CALIBRATION_ERROR_MAX = 0.05;

async function ask(client: ApplianceClient, query: string, more = "", space?: string) {
  const path = `/api/v1/query/probabilistic?query=${encodeURIComponent(query)}${more}`;
  return answered(await client.call<ProbabilisticReply>("GET", path, undefined, space));
}

test("a probabilistic query answers probabilities inside their intervals, with evidence and doubts", async () => {
  using directory = new ScratchDirectory("probabilistic");
  await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
  const { client } = appliance;
  const texts = [
    "Ada moved to Lisbon in spring",
    "Ada moved to Porto in autumn",
    "The garage opens at seven",
    "Bread is baked on Fridays",
  ];
  for (const [i, content] of texts.entries()) {
    answered(await client.remember({ id: `m${i}`, content, confidence: i === 1 ? 0.3 : 0.9 }));
  }
  const { results, expected_answers, calibration } = await ask(client, "When did Ada move to Lisbon?");
  expect(results[0]!.id).toBe("m0");
  let sum = 0;
  for (const [i, { probability, interval, evidence, uncertainty }] of results.entries()) {
    expect(probability).toBeWithin(0.0001, 0.9999);
    expect(interval.low).toBeLessThan(probability);
    expect(interval.high).toBeGreaterThan(probability);
    if (i > 0) expect(probability).toBeLessThanOrEqual(results[i - 1]!.probability);
    expect(evidence.map(({ kind }) => kind)).toContainValues([
      "lead",
      "coverage",
      "similarity",
      "words",
      "storer",
    ]);
    expect(uncertainty).toContain("small_space");
    sum += probability;
  }
  expect(expected_answers).toBeCloseTo(sum, 4);
  expect(calibration.examples).toBeGreaterThan(1000);
  const words = results[0]!.evidence.find(({ kind }) => kind === "words")!;
  expect(words.detail).toContain("lisbon");

  // Each doubt is told of the memory that has it, and makes its interval wider.
  const porto = results.find(({ id }) => id === "m1")!;
  expect(porto.uncertainty).toContain("unsure_storer");
  expect(results[0]!.uncertainty).not.toContain("unsure_storer");
  const later = Date.now() + 400 * 86_400_000;
  const faded = await ask(client, "When did Ada move to Lisbon?", `&as_of=${later}`);
  expect(faded.results[0]!.uncertainty).toContain("faded");
  const width = ({ low, high }: { low: number; high: number }): number => high - low;
  expect(width(faded.results[0]!.interval)).toBeGreaterThan(width(results[0]!.interval));

  const likely = await ask(client, "When did Ada move to Lisbon?", "&min_probability=0.5&limit=2");
  expect(likely.results.length).toBeLessThanOrEqual(2);
  for (const { probability } of likely.results) expect(probability).toBeGreaterThanOrEqual(0.5);
  const refused = await client.call("GET", "/api/v1/query/probabilistic");
  expect(refused).toMatchObject({ status: 400, body: { code: "request-invalid", at: "query" } });
}, 30_000);

const missing = missingConversations();
test.skipIf(missing !== undefined)(
  `probabilities come true on real conversations, also on one that the fit did not see${missing === undefined ? "" : ` (${missing})`}`,
  async () => {
    using directory = new ScratchDirectory("calibration");
    await using appliance = await ApplianceProcess.start({ data: directory.data, settings: SETTINGS });
    const { client } = appliance;
    const call: Ask = async (method, path, space, body) =>
      answered(await client.call(method, path, body, space));
    const sets = [];
    for (const conversation of loadConversations()) {
      await storeConversation(conversation, conversation.name, call);
      sets.push(await examplesOf(conversation, conversation.name, call));
    }
    const served = expectedCalibrationError(sets.flat());
    const held = heldOutErrors(sets);
    console.log(
      `calibration error: served ${served.toFixed(3)}, held out ${held.all.toFixed(3)} (${held.each.map((error) => error.toFixed(3)).join(", ")})`,
    );
    expect(served).toBeLessThan(CALIBRATION_ERROR_MAX);
    expect(held.all).toBeLessThan(CALIBRATION_ERROR_MAX);
    for (const error of held.each) expect(error).toBeLessThan(CALIBRATION_ERROR_MAX);
    // Certainty where there is some: the likeliest tenth answers several times as often as the rest.
    const sorted = sets.flat().sort((a, b) => b.probability - a.probability);
    const share = (examples: typeof sorted): number =>
      examples.filter(({ isRight }) => isRight).length / examples.length;
    const tenth = Math.floor(sorted.length / 10);
    expect(share(sorted.slice(0, tenth))).toBeGreaterThan(4 * share(sorted.slice(tenth)));
  },
  90_000,
);
