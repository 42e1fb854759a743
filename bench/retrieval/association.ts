/**
 * What does activation earn in real conversations, and are its constants fitted to them?
 *
 * Without a server in between: candidates and fusion as `offline.ts` has them, bindings as the associator makes them
 * in time, activation as a recall spreads it. Expected: recall@10 rises by 8 to 11 points over fusion, on a plateau
 * of settings; chosen without the conversation they are measured on, settings lose nothing beyond noise.
 *
 *   bun bench/retrieval/association.ts [--small]
 */
import { machineText } from "../../src/base/machine-text.ts";
import {
  type BindingView,
  makeSpreadResult,
  type SpreadParameters,
  spread,
} from "../../src/cognition/spreading.ts";
import { tiesInTime } from "../../src/engine/association/neighbours.ts";
import { speakerMatcher } from "../../src/engine/recall/speaker-names.ts";
import { nameWords, speakerOf } from "../../src/language/speaker.ts";
import { type Conversation, loadConversations, missingConversations } from "./conversations.ts";
import { measure, percent, printReports, type Ranker, type Report, rankingOf } from "./measures.ts";
import { fusedScores } from "./offline.ts";

const RANKING_LENGTH = 20;
const VISITS_MAX = 20_000;
const SEEDS_MAX = 64;
const GAP_MS = 30 * 60_000;

type Setting = {
  readonly window: number;
  readonly seeds: number;
  readonly hops: number;
  readonly decay: number;
  readonly weight: number;
  readonly speakerWeight: number;
};
/** As the settings `association` and `activation` say. */
const STANDARD: Setting = { window: 2, seeds: 20, hops: 3, decay: 0.5, weight: 1.5, speakerWeight: 2 };
/** Each changes one thing; together they show how flat the ground is. */
const VARIANTS: readonly Partial<Setting>[] = [
  ...[1, 3, 4].map((window) => ({ window })),
  ...[10, 40].map((seeds) => ({ seeds })),
  ...[1, 2, 4].map((hops) => ({ hops })),
  ...[0.3, 0.7].map((decay) => ({ decay })),
  ...[0.75, 1, 2, 3].map((weight) => ({ weight })),
  ...[0, 1, 4].map((speakerWeight) => ({ speakerWeight })),
];

type Ties = { readonly targets: number[]; readonly strengths: number[]; readonly kinds: number[] };

if (import.meta.main) main(process.argv.includes("--small"));

/** Runs the bench; empty where there is nothing to measure with. */
export function main(isSmall: boolean): Report[] {
  const missing = missingConversations();
  if (missing !== undefined) {
    console.log(`skipped: ${missing}`);
    return [];
  }
  const loaded = loadConversations();
  const conversations = isSmall
    ? loaded.slice(0, 1).map((one) => ({ ...one, questions: one.questions.slice(0, 40) }))
    : loaded;
  console.log(machineText());
  const fused = fusedScores(conversations);
  const measured = (name: string, setting: Setting): Report =>
    measure(name, conversations, activatedRanker(conversations, fused, setting));
  const off = measure("fused, activation off", conversations, (c, q) =>
    rankingOf(fused[c]![q]!, RANKING_LENGTH),
  );
  const standard = measured("activation, as set", STANDARD);
  const variants = (isSmall ? [] : VARIANTS).map((changed) =>
    measured(
      Object.entries(changed)
        .map(([key, value]) => `${key} ${value}`)
        .join(", "),
      { ...STANDARD, ...changed },
    ),
  );
  printReports(conversations, [off, standard, ...variants]);
  if (!isSmall) printLeftOut(conversations, [standard, ...variants], off);
  return [off, standard, ...variants];
}

/** The ranking of a recall whose activation spreads as a setting says. */
function activatedRanker(
  conversations: readonly Conversation[],
  fused: readonly (readonly Float32Array[])[],
  setting: Setting,
): Ranker {
  const { hops, decay, weight, speakerWeight } = setting;
  const parameters: SpreadParameters = {
    hops,
    decay,
    threshold: 0.03,
    visitsMax: VISITS_MAX,
    cyclePenalty: 0.2,
    kindWeights: new Float32Array(8).fill(1),
    timeMsMax: Number.POSITIVE_INFINITY,
  };
  const result = makeSpreadResult(SEEDS_MAX, VISITS_MAX);
  const views = conversations.map(({ turns }) => viewOf(tiesOf(turns, setting.window)));
  const speakers = conversations.map(({ turns }) => turns.map(({ content }) => speakerOf(content)));
  return (c, q) => {
    const scores = fused[c]![q]!;
    const best = rankingOf(scores, setting.seeds);
    if (best.length === 0) return [];
    const top = scores[best[0]!]!;
    const seeds = {
      count: best.length,
      slots: Uint32Array.from(best),
      activations: Float64Array.from(best, (turn) => (scores[turn]! / top) ** 3),
    };
    spread(views[c]!, seeds, parameters, result, () => 0);
    const combined = Float64Array.from(scores, (score) => score / top);
    for (let node = 0; node < result.count; node++) {
      combined[result.slots[node]!]! += weight * result.received[node]!;
    }
    const isNamed = speakerMatcher(nameWords(conversations[c]!.questions[q]!.text));
    for (const [turn, speaker] of speakers[c]!.entries()) {
      if (speaker !== undefined && isNamed(speaker)) combined[turn]! *= 1 + speakerWeight;
    }
    return rankingOf(combined, RANKING_LENGTH);
  };
}

function tiesOf(turns: Conversation["turns"], window: number): Ties[] {
  const moments = turns.map(({ timestampMs }, slot) => ({ slot, timestampMs, session: undefined }));
  const ties: Ties[] = turns.map(() => ({ targets: [], strengths: [], kinds: [] }));
  const put = (from: number, to: number, strength: number, kind: number): void => {
    ties[from]!.targets.push(to);
    ties[from]!.strengths.push(strength);
    ties[from]!.kinds.push(kind);
  };
  for (const moment of moments) {
    const earlier = moments.slice(Math.max(0, moment.slot - 64), moment.slot);
    for (const { slot, strength, kind } of tiesInTime(moment, earlier, { window, sessionGapMs: GAP_MS })) {
      put(moment.slot, slot, strength, kind);
      put(slot, moment.slot, strength, kind);
    }
  }
  return ties;
}

function viewOf(ties: readonly Ties[]): BindingView {
  return {
    read(slot, columns) {
      const { targets, strengths, kinds } = ties[slot]!;
      columns.count = targets.length;
      columns.targets.set(targets);
      columns.strengths.set(strengths);
      columns.kinds.set(kinds);
      return targets.length;
    },
  };
}

/** Chooses a setting on all conversations but one, and measures it on that one. */
function printLeftOut(conversations: readonly Conversation[], reports: readonly Report[], off: Report): void {
  console.log("\na setting chosen without the conversation it is measured on, recall@10");
  conversations.forEach(({ name }, left) => {
    const others = ({ each }: Report): number =>
      each.reduce((sum, { r10, count }, i) => (i === left ? sum : sum + r10 * count), 0);
    const chosen = reports.reduce((best, report) => (others(report) > others(best) ? report : best));
    console.log(
      `${name}: chosen ${chosen.name}, ${percent(chosen.each[left]!.r10)}; as set ${percent(reports[0]!.each[left]!.r10)}; off ${percent(off.each[left]!.r10)}`,
    );
  });
}
