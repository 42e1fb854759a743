/** How the calls on concepts and consolidation are described. */
import {
  conceptsQuery,
  conceptsReply,
  consolidateBody,
  consolidateQuery,
  consolidationReply,
  consolidationsQuery,
  consolidationsReply,
} from "./concepts.contract.ts";
import { describeOperation } from "./openapi.ts";

const RUN_EXAMPLE = {
  id: 7,
  space: "default",
  state: "done",
  requested: true,
  requested_at: "2026-01-31T12:00:00.000Z",
  started_at: "2026-01-31T12:00:00.120Z",
  ended_at: "2026-01-31T12:00:00.180Z",
  paused_ms: 0,
  cycles: 2,
  replayed: 480,
  concepts: { formed: 12, grown: 3, merged: 0, split: 0, retired: 1 },
  promoted: { consolidating: 471, remote: 9 },
  unconsolidated: 0,
} as const;
export const CONCEPT_EXAMPLE = {
  id: "concept-0195cbd4-6a1b-7000-8d43-7f2c9c1f5a10",
  gist: "guitar, lesson, practice: My guitar lesson was fun today.",
  concept: { terms: ["guitar", "lesson", "practice"] },
  coherence: 0.81,
  member_count: 6,
  members: [{ id: "ada/music/3", likeness: 0.9 }],
  confidence: 0.7,
  importance: 0.5,
  timestamp: "2026-01-30T18:00:00.000Z",
  stored_at: "2026-01-31T12:00:00.150Z",
};

export function consolidateDetail() {
  return describeOperation({
    id: "consolidate",
    tag: "Concepts",
    summary: "Consolidate a memory space now",
    description:
      "Replays what is new and some of what is older, lets concepts form and grow, and promotes memories. It goes on by itself while there is little else to do; this does it at once, also under load. Answers 202 while it waits or runs, 200 once it has ended.",
    right: "admin",
    spaced: true,
    query: consolidateQuery,
    body: {
      schema: consolidateBody,
      examples: {
        plain: { summary: "Start a run", value: {} },
        waited: { summary: "Wait for its end", value: { wait_ms: 5000 } },
      },
    },
    replies: {
      200: { description: "Ended", schema: consolidationReply, example: RUN_EXAMPLE },
      202: {
        description: "Waiting or running",
        schema: consolidationReply,
        example: { ...RUN_EXAMPLE, state: "running", ended_at: null },
      },
    },
    errors: ["space-not-found", "overloaded"],
  });
}

export function consolidationsDetail() {
  return describeOperation({
    id: "listConsolidations",
    tag: "Concepts",
    summary: "Runs of consolidation",
    description: "Those that clients asked for, and those by itself that changed something.",
    right: "read",
    spaced: false,
    query: consolidationsQuery,
    replies: {
      200: {
        description: "The last runs",
        schema: consolidationsReply,
        example: { consolidations: [RUN_EXAMPLE] },
      },
    },
    errors: [],
  });
}

export function conceptsDetail() {
  return describeOperation({
    id: "listConcepts",
    tag: "Concepts",
    summary: "Concepts of a memory space",
    description:
      "What repeats in its memories, with the memories that each concept is made of. A concept that grows meanwhile may come again on a later page.",
    right: "read",
    spaced: true,
    query: conceptsQuery,
    replies: {
      200: {
        description: "A page of concepts",
        schema: conceptsReply,
        example: { concepts: [CONCEPT_EXAMPLE], next_cursor: null },
      },
    },
    errors: ["space-not-found"],
  });
}
