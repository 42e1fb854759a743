/** How the call that profiles is described. */
import { describeOperation } from "./openapi.ts";
import { profileReply, takeProfile } from "./profile.contract.ts";

export function takeProfileDetail() {
  return describeOperation({
    id: "takeProfile",
    tag: "System",
    right: "admin",
    spaced: false,
    summary: "Sample what all threads are in",
    description:
      "For some seconds: JavaScript of every thread by the runtime's own sampler, native stacks by the kernel where it " +
      "allows, and the time that each space took. One at a time. `engram-appliance profile` makes a report of it.",
    body: {
      schema: takeProfile,
      examples: { short: { summary: "Three seconds", value: { seconds: 3 } } },
    },
    replies: {
      200: {
        description: "The samples",
        schema: profileReply,
        example: {
          started_at_ms: 1_769_860_800_000,
          ended_at_ms: 1_769_860_803_000,
          script_interval_ms: 5,
          threads: [
            {
              name: "api-0",
              script: {
                nodes: [
                  { name: "(root)", file: "", line: -1, parent: -1 },
                  { name: "recall", file: "recaller.ts", line: 80, parent: 0 },
                ],
                samples: [1],
                times_ms: [1_769_860_800_005.2],
              },
            },
          ],
          native: {
            period_ms: 10.1,
            has_kernel: true,
            frames: [
              { name: "shim_vector_search", library: "libengram.so" },
              { name: "[JavaScript]", library: "" },
            ],
            stacks: [[0, 1]],
            threads: [{ name: "api-0", id: 4720, samples: [0], times_ms: [1_769_860_800_005], lost: 0 }],
          },
          spaces: [{ space: "default", operations: 1200, busy_ms: 940.5 }],
          missing: [],
        },
      },
    },
    errors: ["profile-running"],
  });
}
