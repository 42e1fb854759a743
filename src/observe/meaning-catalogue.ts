/** The metrics of learning what words mean: a part of the catalogue. */

/** Classic buckets of a learning, 1 ms to 64 s. */
const LEARNING = [-10, 6] as const;

export const MEANING_CATALOGUE = {
  engram_meaning_learning_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time the background thread worked on learning what the words of a space mean, pauses left out",
    labels: { outcome: ["ok", "failed"] },
    otlp: "engram.meaning.learning.duration",
    source: "lane",
    shown: LEARNING,
  },
  engram_meaning_spaces: {
    kind: "gauge",
    unit: "count",
    help: "Spaces that have learned what their words mean",
    labels: {},
    otlp: "engram.meaning.spaces",
    source: "lane",
  },
  engram_meaning_terms: {
    kind: "gauge",
    unit: "count",
    help: "Words with a learned meaning, over all spaces",
    labels: {},
    otlp: "engram.meaning.terms",
    source: "lane",
  },
  engram_meaning_memories: {
    kind: "gauge",
    unit: "count",
    help: "Memories and concepts that were given a meaning by their words, forgotten ones included",
    labels: {},
    otlp: "engram.meaning.memories",
    source: "lane",
  },
  engram_meaning_bytes: {
    kind: "gauge",
    unit: "bytes",
    help: "Memory mapped for what was learned",
    labels: {},
    otlp: "engram.meaning.size",
    source: "lane",
  },
  engram_meaning_age_seconds: {
    kind: "gauge",
    unit: "seconds",
    help: "Time since the space that has waited longest learned; absent while none has",
    labels: {},
    otlp: "engram.meaning.age",
    source: "lane",
  },
} as const;
