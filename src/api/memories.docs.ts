/** How the calls on stored memories are described. */
import {
  fadingQuery,
  fadingReply,
  forgetByIdQuery,
  forgetQuery,
  forgottenReply,
  listQuery,
  listReply,
  reinforcedReply,
} from "./memories.contract.ts";
import { describeOperation } from "./openapi.ts";
import { memoryReply } from "./recall.contract.ts";
import { MEMORY_EXAMPLE } from "./recall.docs.ts";

const ID_PATH = { name: "id", description: 'The id, percent-encoded: "ada/moves/1" is `ada%2Fmoves%2F1`' };
const FORGOTTEN = {
  description: "Forgotten",
  schema: forgottenReply,
  example: { id: "ada/moves/1", space: "default", ack: "fsync", forgotten: true },
};
const ERRORS = ["memory-not-found", "space-not-found", "request-invalid"] as const;

export function listDetail() {
  return describeOperation({
    id: "listMemories",
    tag: "Memories",
    summary: "List memories",
    description: "In the order of storing, page by page.",
    right: "read",
    spaced: true,
    query: listQuery,
    replies: {
      200: {
        description: "A page of memories",
        schema: listReply,
        example: { memories: [MEMORY_EXAMPLE], next_cursor: null },
      },
    },
    errors: ["memory-not-found", "space-not-found"],
  });
}

export function fadingDetail() {
  return describeOperation({
    id: "fading",
    tag: "Memories",
    summary: "List what has faded",
    description:
      "Memories of which less than the floor is left: candidates for forgetting. They stay, and recall finds them, until " +
      "somebody forgets them; reinforcing one brings it back.",
    right: "read",
    spaced: true,
    query: fadingQuery,
    replies: {
      200: {
        description: "A page of faded memories",
        schema: fadingReply,
        example: {
          memories: [
            {
              ...MEMORY_EXAMPLE,
              retention: 0.28,
              stability_hours: 168,
              use_count: 0,
              last_used_at: null,
              faded_at: "2027-03-02T08:00:00.000Z",
            },
          ],
          floor: 0.3,
          next_cursor: null,
        },
      },
    },
    errors: ["space-not-found"],
  });
}

export function getDetail() {
  return describeOperation({
    id: "getMemory",
    tag: "Memories",
    summary: "Read one memory",
    right: "read",
    spaced: true,
    path: ID_PATH,
    replies: { 200: { description: "The memory", schema: memoryReply, example: MEMORY_EXAMPLE } },
    errors: ERRORS,
  });
}

export function forgetDetail() {
  return describeOperation({
    id: "forget",
    tag: "Memories",
    summary: "Forget one memory for good",
    right: "write",
    spaced: true,
    path: ID_PATH,
    query: forgetQuery,
    replies: { 200: FORGOTTEN },
    errors: [...ERRORS, "overloaded", "disk-full"],
  });
}

export function reinforceDetail() {
  return describeOperation({
    id: "reinforce",
    tag: "Memories",
    summary: "Reinforce one memory",
    description:
      "Says the memory again: it fades more slowly from then on, the more the longer ago it was used last, and matters " +
      "more. A recall does the former by itself to what it brings up, where `forgetting.learn_from_recall` is on.",
    right: "write",
    spaced: true,
    path: ID_PATH,
    query: forgetQuery,
    replies: {
      200: {
        description: "Reinforced",
        schema: reinforcedReply,
        example: {
          id: "ada/moves/1",
          space: "default",
          ack: "fsync",
          use_count: 3,
          stability_hours: 412.5,
          importance: 0.55,
          last_used: "2026-01-31T12:00:00.000Z",
        },
      },
    },
    errors: [...ERRORS, "overloaded", "disk-full", "memory-exhausted"],
  });
}

export function forgetByIdDetail() {
  return describeOperation({
    id: "forgetById",
    tag: "Memories",
    summary: "Forget one memory for good, named in the query",
    description: 'For ids that a path can not carry: "recall", "fading", "." and "..".',
    right: "write",
    spaced: true,
    query: forgetByIdQuery,
    replies: { 200: FORGOTTEN },
    errors: [...ERRORS, "overloaded", "disk-full"],
  });
}
