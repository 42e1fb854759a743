/** How the calls on links are described. */
import { linkBody, linkReply, linksQuery, linksReply, unlinkedReply, unlinkQuery } from "./links.contract.ts";
import { describeOperation } from "./openapi.ts";

const ENDS_EXAMPLE = {
  source: "ada/moves/1",
  destination: "ada/moves/2",
  kind: "cause",
  space: "default",
  ack: "fsync",
};
const ERRORS = ["memory-not-found", "space-not-found", "request-invalid"] as const;
const WRITE_ERRORS = [...ERRORS, "overloaded", "disk-full", "memory-exhausted"] as const;

export function linkDetail() {
  return describeOperation({
    id: "link",
    tag: "Links",
    summary: "Link two memories, or strengthen the link between them",
    description:
      "Activation spreads along links, as along the bindings that form by themselves. A memory holds 4,095 links at " +
      "most; beyond that the weakest gives way.",
    right: "write",
    spaced: true,
    body: {
      schema: linkBody,
      examples: {
        link: { summary: "A link", value: { source: "ada/moves/1", destination: "ada/moves/2" } },
        cause: {
          summary: "A cause",
          value: { source: "ada/moves/1", destination: "ada/moves/2", kind: "cause", strength: 1 },
        },
      },
    },
    replies: {
      200: {
        description: "Changed",
        schema: linkReply,
        example: { ...ENDS_EXAMPLE, strength: 0.81, use_count: 1, created: false },
      },
      201: {
        description: "Made",
        schema: linkReply,
        example: { ...ENDS_EXAMPLE, strength: 0.8, use_count: 0, created: true },
      },
    },
    errors: WRITE_ERRORS,
  });
}

export function linksDetail() {
  return describeOperation({
    id: "links",
    tag: "Links",
    summary: "Show what a memory is bound to",
    description: "Links that were made, and bindings that formed by themselves.",
    right: "read",
    spaced: true,
    query: linksQuery,
    replies: {
      200: {
        description: "Its bindings",
        schema: linksReply,
        example: {
          id: "ada/moves/1",
          space: "default",
          links: [
            {
              kind: "cause",
              id: "ada/moves/2",
              direction: "out",
              strength: 1,
              use_count: 2,
              last_used: "2026-01-31T12:00:00.000Z",
            },
          ],
        },
      },
    },
    errors: ERRORS,
  });
}

export function unlinkDetail() {
  return describeOperation({
    id: "unlink",
    tag: "Links",
    summary: "Take a link away",
    right: "write",
    spaced: true,
    query: unlinkQuery,
    replies: {
      200: { description: "Taken away", schema: unlinkedReply, example: { ...ENDS_EXAMPLE, removed: true } },
    },
    errors: [...WRITE_ERRORS, "link-not-found"],
  });
}
