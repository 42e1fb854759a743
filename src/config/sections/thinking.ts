/** Settings of what goes on by itself: `consolidation`. */
import { z } from "zod";
import { decimal, toggle, whole } from "../setting.ts";

const READER = "src/engine/consolidation/consolidation-rules.ts";

export const consolidationSection = z.strictObject({
  enabled: toggle({
    default: true,
    about: "Whether memories are consolidated in the background: replayed, and gathered into concepts",
    on: "Concepts form and grow by themselves while there is little else to do",
    off: "Only when a client asks for it (POST /api/v1/consolidate)",
    reader: READER,
  }),
  batch: whole({
    default: 512,
    min: 16,
    max: 768,
    unit: "memories",
    about: "New memories replayed in one cycle, with half as many older ones beside them",
    tooLow: "Memories of one kind seldom meet in a cycle, and concepts form late",
    tooHigh: "A cycle holds a core for longer: some 10 ms at 512, and 10 ms more for each 1,000 concepts",
    reader: READER,
  }),
  delay_s: decimal({
    default: 10,
    min: 0,
    max: 86_400,
    unit: "seconds",
    about: "How long memories wait for others before a batch that is not full is replayed",
    tooLow: "Concepts are stored anew for every few memories that join them",
    tooHigh: "What was said just now is in no concept yet",
    reader: READER,
  }),
  rest_s: decimal({
    default: 30,
    min: 0.1,
    max: 86_400,
    unit: "seconds",
    about: "Time between two cycles that replay older memories while nothing new comes in",
    tooLow: "A core is busy for a few milliseconds that often",
    tooHigh: "Old memories become remote late, and find a concept late",
    reader: READER,
  }),
  pause_operations: whole({
    default: 200,
    min: 1,
    max: 1_000_000,
    unit: "operations a second",
    about:
      "Recalls and writes a second above which consolidation pauses, for half a minute at a time at most",
    tooLow: "Under steady use only two cycles a minute are left",
    tooHigh: "Consolidation takes a core from requests",
    reader: READER,
  }),
  threads: whole({
    default: 2,
    min: 1,
    max: 64,
    unit: "threads",
    about: "Threads that compare the memories of a batch; the result is the same for any number",
    tooLow: "A cycle takes longer",
    tooHigh: "A cycle takes cores from requests, for milliseconds",
    reader: READER,
  }),
  members_min: whole({
    default: 3,
    min: 2,
    max: 100,
    unit: "memories",
    about: "Memories that make a concept",
    tooLow: "Two memories that happen to be alike make a concept",
    tooHigh: "What repeats seldom never becomes a concept",
    reader: READER,
  }),
  distinctiveness: decimal({
    default: 2.5,
    min: 0,
    max: 10,
    unit: "standard deviations",
    about: "How much more alike than two memories of the space are on average the members of a concept are",
    tooLow: "Concepts are broad and say little",
    tooHigh: "Only near repetitions make a concept",
    reader: READER,
  }),
  hippocampal_half_life_hours: decimal({
    default: 168,
    min: 0.001,
    max: 1_000_000,
    unit: "hours",
    about:
      "Age at which half of a memory's weight in fast memory is gone; members of concepts become remote after 1.6 of them",
    tooLow: "Recall soon counts what concepts say for more than the episodes themselves",
    tooHigh: "Memories stay consolidating, and are replayed again and again",
    reader: READER,
  }),
});
