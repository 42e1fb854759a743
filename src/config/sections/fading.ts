/** Settings of how memories fade and compete: `forgetting`, `interference`, `priming` and `reconsolidation`. */
import { z } from "zod";
import { choice, decimal, toggle } from "../setting.ts";

const READER = "src/engine/engine-settings.ts";

export const forgettingSection = z.strictObject({
  enabled: toggle({
    default: true,
    about: "Whether what has faded counts for less in recall",
    on: "Among memories that fit about as well, the one used last and most comes first",
    off: "Recall goes by text and bindings alone; retention is still told",
    reader: READER,
  }),
  learn_from_recall: toggle({
    default: true,
    about: "Whether a recall counts as a use of the memories it brings up",
    on: "What is recalled fades more slowly, and what comes up together is bound more strongly",
    off: "Only reinforcement counts as a use, and recalls write nothing",
    reader: READER,
  }),
  curve: choice({
    default: "power",
    about: "The curve by which memories fade, for spaces that have none of their own",
    choices: {
      exponential: "half is lost in each half-life: soon forgotten, and for good",
      power: "fast at first, then ever more slowly (Wickelgren 1974); nearest to Ebbinghaus's figures",
      "two-component": "two thirds are lost within hours of the half-life, a third stays very long",
    },
    reader: READER,
  }),
  stability_hours: decimal({
    default: 168,
    min: 0.01,
    max: 876_600,
    unit: "hours",
    about:
      "Half-life of a memory that was never used, for spaces that have none of their own; uses lengthen it",
    tooLow: "Memories of yesterday count for little beside those of today",
    tooHigh: "Old and new memories count the same, and nothing ever fades",
    reader: READER,
  }),
  weight: decimal({
    default: 0.15,
    min: 0,
    max: 1,
    unit: "part of the score",
    about: "How much of its score a memory loses of which nothing is left",
    tooLow: "Age and use decide nothing, not even between equals",
    tooHigh: "What is recent is answered in place of what was asked for",
    reader: READER,
  }),
  floor: decimal({
    default: 0.3,
    min: 0.001,
    max: 0.999,
    unit: "retention",
    about: "Retention below which a memory is a candidate for forgetting; it stays until it is forgotten",
    tooLow: "Nothing is ever a candidate: on the power law, 0.1 is reached after millions of half-lives",
    tooHigh: "Memories of last week are candidates",
    reader: READER,
  }),
});

export const interferenceSection = z.strictObject({
  enabled: toggle({
    default: true,
    about: "Whether memories that are alike and near in time compete in recall",
    on: "The best candidates of a recall take a bounded part of each other's score",
    off: "Ten versions of one thing may fill the answer",
    reader: READER,
  }),
  weight: decimal({
    default: 0.05,
    min: 0,
    max: 1,
    unit: "part of the score",
    about: "How much of its score a memory can lose to its competitors",
    tooLow: "Competition decides nothing",
    tooHigh: "What was said several times is found below what was said once",
    reader: READER,
  }),
  window_hours: decimal({
    default: 24,
    min: 0.01,
    max: 876_600,
    unit: "hours",
    about: "Distance in time at which competition has fallen to 1/e",
    tooLow: "Only memories of one moment compete",
    tooHigh: "Memories of different years compete as those of one day do",
    reader: READER,
  }),
});

export const primingSection = z.strictObject({
  enabled: toggle({
    default: true,
    about: "Whether what was used a moment ago raises its neighbours in recall",
    on: "A question that follows another is answered from the same context first",
    off: "Each recall stands alone",
    reader: READER,
  }),
  weight: decimal({
    default: 0.1,
    min: 0,
    max: 1,
    unit: "part of the score",
    about: "How much of its score a fully primed memory gains",
    tooLow: "The context of a moment ago decides nothing",
    tooHigh: "Recall keeps answering from the context it was in",
    reader: READER,
  }),
  decay_s: decimal({
    default: 30,
    min: 0.1,
    max: 3600,
    unit: "seconds",
    about: "Time in which priming falls by e; it ends after four times of it",
    tooLow: "Priming has passed before the next question comes",
    tooHigh: "Yesterday's subject still colours today's answers",
    reader: READER,
  }),
});

export const reconsolidationSection = z.strictObject({
  enabled: toggle({
    default: true,
    about: "Whether replacing a memory depends on when it was used last",
    on: "Within the window the memory is changed and strengthened; later it is a new trace, with a new half-life",
    off: "A memory that replaces another takes over what that one has earned, always",
    reader: READER,
  }),
  window_hours: decimal({
    default: 6,
    min: 0.0001,
    max: 8766,
    unit: "hours",
    about: "How long after a use a memory can be changed (Nader et al. 2000: six hours)",
    tooLow: "Every correction starts a new trace",
    tooHigh: "A new memory under an old id inherits strength it did not earn",
    reader: READER,
  }),
});
