/** Settings of how memories fade and compete: `forgetting`. */
import { z } from "zod";
import { choice, decimal } from "../setting.ts";

export const forgettingSection = z.strictObject({
  curve: choice({
    default: "power",
    about: "The curve by which memories fade, for spaces that have none of their own",
    choices: {
      exponential: "half is lost in each half-life: soon forgotten, and for good",
      power: "fast at first, then ever more slowly (Wickelgren 1974); nearest to Ebbinghaus's figures",
      "two-component": "two thirds are lost within hours of the half-life, a third stays very long",
    },
    reader: "src/engine/engine-settings.ts",
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
    reader: "src/engine/engine-settings.ts",
  }),
});
