/** How the calls on memory spaces are described. */
import { describeOperation } from "./openapi.ts";
import { spaceBody, spaceDeletedReply, spaceReply, spacesReply, spaceUpdateBody } from "./spaces.contract.ts";

const SPACE_EXAMPLE = {
  name: "default",
  dimensions: 768,
  embedder: "hash/1",
  language: "english",
  quantization: "i8",
  node: 0,
  memories: 50_000,
  episodes: 1_200,
  concepts: 310,
  unconsolidated: 0,
  forgotten: 12,
  indexed: 49_000,
  tail: 1_000,
  pending_embedding: 0,
  unassociated: 0,
  bindings: 4210,
  terms: 31_417,
  memory_bytes: 268_435_456,
  created_at: "2026-01-31T12:00:00.000Z",
  meaning: {
    version: 3,
    dimensions: 128,
    terms: 31_402,
    covered: 50_012,
    learned_from: 44_871,
    learned_at: "2026-02-02T08:15:00.000Z",
    context: 1,
  },
  forgetting: { curve: "power", stability_hours: 168, floor: 0.3 },
};
const NAME_PATH = { name: "name", description: "The name of the space" };

export function listSpacesDetail() {
  return describeOperation({
    id: "listSpaces",
    tag: "Spaces",
    summary: "List memory spaces",
    description: "Those that the key opens.",
    right: "read",
    spaced: false,
    replies: {
      200: { description: "The spaces", schema: spacesReply, example: { spaces: [SPACE_EXAMPLE] } },
    },
    errors: [],
  });
}

export function createSpaceDetail() {
  return describeOperation({
    id: "createSpace",
    tag: "Spaces",
    summary: "Make a memory space",
    description:
      "A space keeps its dimensions, its embedder and its language for good; how it forgets can be changed.",
    right: "admin",
    spaced: false,
    body: {
      schema: spaceBody,
      examples: {
        plain: { summary: "As the settings say", value: { name: "agent-7" } },
        brought: {
          summary: "Callers bring embeddings",
          value: { name: "images", dimensions: 512, embedder: "none", language: "none" },
        },
        fading: {
          summary: "Fades within days",
          value: { name: "chat", forgetting: { curve: "exponential", stability_hours: 24 } },
        },
      },
    },
    replies: { 201: { description: "Made", schema: spaceReply, example: { ...SPACE_EXAMPLE, memories: 0 } } },
    errors: ["space-exists", "space-limit-reached", "space-forbidden", "embedder-mismatch", "disk-full"],
  });
}

export function showSpaceDetail() {
  return describeOperation({
    id: "showSpace",
    tag: "Spaces",
    summary: "Show one memory space",
    right: "read",
    spaced: false,
    path: NAME_PATH,
    replies: { 200: { description: "The space", schema: spaceReply, example: SPACE_EXAMPLE } },
    errors: ["space-not-found", "space-forbidden", "request-invalid"],
  });
}

export function updateSpaceDetail() {
  return describeOperation({
    id: "updateSpace",
    tag: "Spaces",
    summary: "Change how a memory space forgets",
    description:
      "What is not named stays. Retention is computed when it is read, so a change holds at once, for old memories too; what uses have added to their half-lives stays theirs.",
    right: "admin",
    spaced: false,
    path: NAME_PATH,
    body: {
      schema: spaceUpdateBody,
      examples: {
        curve: { summary: "Another curve", value: { forgetting: { curve: "two-component" } } },
      },
    },
    replies: { 200: { description: "As it is now", schema: spaceReply, example: SPACE_EXAMPLE } },
    errors: ["space-not-found", "space-forbidden", "request-invalid", "disk-full"],
  });
}

export function deleteSpaceDetail() {
  return describeOperation({
    id: "deleteSpace",
    tag: "Spaces",
    summary: "Delete a memory space with all its memories",
    right: "admin",
    spaced: false,
    path: NAME_PATH,
    replies: {
      200: { description: "Deleted", schema: spaceDeletedReply, example: { name: "agent-7", deleted: true } },
    },
    errors: ["space-not-found", "space-forbidden", "request-invalid", "disk-full"],
  });
}
