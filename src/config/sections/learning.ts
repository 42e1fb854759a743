/** Settings of what the appliance learns by itself: `meaning`. */
import { z } from "zod";
import { decimal, toggle, whole } from "../setting.ts";

const READER = "src/engine/meaning/meaning-settings.ts";

export const meaningSection = z.strictObject({
  enabled: toggle({
    default: true,
    about: "Whether a space with the built-in embedder learns what its words mean from its own text",
    on: "learned in the background, and used by hybrid recall beside words and vectors",
    off: "nothing is learned, and what was learned is not used",
    reader: READER,
  }),
  dimensions: whole({
    default: 128,
    min: 16,
    max: 512,
    unit: "numbers",
    about: "Most numbers a word's meaning may have; fewer are used while the vocabulary is small",
    tooLow: "Different things come to mean the same",
    tooHigh: "Meaning repeats what the words say, each memory takes more memory, and learning slows down",
    reader: READER,
  }),
  memories_min: whole({
    default: 200,
    min: 32,
    max: 1_000_000,
    unit: "memories",
    about: "Memories a space holds before it learns for the first time",
    tooLow: "What is learned from a few memories is chance",
    tooHigh: "Small spaces never learn",
    reader: READER,
  }),
  terms_max: whole({
    default: 65_536,
    min: 1024,
    max: 1_000_000,
    unit: "words",
    about: "Words whose meaning is learned; where a space has more, the rarest are left out",
    tooLow: "Rare words, which often tell most, mean nothing",
    tooHigh: "Learning takes more time, and each word dimensions + 12 bytes",
    reader: READER,
  }),
  memory_mb: whole({
    default: 128,
    min: 8,
    max: 65_536,
    unit: "MiB",
    about:
      "Memory that one learning works in, for a while; a space too large for it is learned from a sample",
    tooLow: "Large spaces are learned from a small part of their text",
    tooHigh: "The process grows by as much while it learns",
    reader: READER,
  }),
  growth: decimal({
    default: 0.5,
    min: 0.01,
    max: 100,
    unit: "times",
    about: "How much more a space has to hold than it learned from before it learns anew",
    tooLow: "Growing spaces learn again and again from nearly the same text",
    tooHigh: "New words mean nothing for long",
    reader: READER,
  }),
  rest_s: decimal({
    default: 10,
    min: 0,
    max: 86_400,
    unit: "seconds",
    about: "Least time between two learnings of a space",
    tooLow: "A bulk load is learned from several times on its way",
    tooHigh: "What was stored since then is recalled by words it shares only",
    reader: READER,
  }),
  turn_ms: whole({
    default: 50,
    min: 1,
    max: 1000,
    unit: "milliseconds",
    about: "How long the background thread learns at a time, four times a second",
    tooLow: "Learning takes long",
    tooHigh: "Checkpoints and late embeddings wait, and a core is busy for longer",
    reader: "src/appliance/background-learning.ts",
  }),
  scan_max: whole({
    default: 4096,
    min: 0,
    max: 1_000_000,
    unit: "memories",
    about:
      "Up to how many memories a space is scanned for those nearest in meaning; in larger ones meaning ranks what vectors and words found",
    tooLow: "A memory that shares no word with the query is found by its meaning in the smallest spaces only",
    tooHigh: "Each hybrid recall takes longer, about 0.02 ms for 1,000 memories",
    reader: READER,
  }),
});
