/** How the call about the host is described. */
import { hostReply } from "./host.contract.ts";
import { describeOperation } from "./openapi.ts";

export function hostDetail() {
  return describeOperation({
    id: "showHost",
    tag: "System",
    right: "admin",
    spaced: false,
    summary: "Read what the kernel says of the process",
    description:
      "Threads with what they ran and waited, memory by what it holds and by page, the nodes that pages lie on, input " +
      "and output, pressure. Counts run since the start. It walks the page tables, some ms for each GiB: " +
      "`engram-appliance profile` asks twice.",
    replies: {
      200: {
        description: "At this moment",
        schema: hostReply,
        example: {
          at_ms: 1_769_860_800_000,
          pid: 4711,
          cores: 16,
          threads: [
            {
              id: 4720,
              name: "api-0",
              state: "S",
              cpu_s: 12.5,
              queued_s: 0.2,
              voluntary_switches: 9000,
              involuntary_switches: 120,
            },
          ],
          memory: {
            resident_bytes: 2_147_483_648,
            anonymous_bytes: 1_900_000_000,
            file_bytes: 98_000_000,
            swapped_bytes: 0,
            hugetlb_bytes: 0,
            transparent_bytes: 1_600_000_000,
          },
          parts: [
            {
              part: "vectors",
              mapped_bytes: 1_073_741_824,
              resident_bytes: 1_000_000_000,
              transparent_bytes: 1_000_000_000,
              reserved_bytes: 0,
              swapped_bytes: 0,
              pages_placed: 64,
              pages_misplaced: 0,
              pages_by_node: { "0": 64 },
            },
          ],
          io: { read_bytes: 1_000_000, written_bytes: 250_000_000 },
          nodes: [
            { node: 0, cpus: 16, total_bytes: 68_719_476_736, free_bytes: 34_359_738_368, distances: [10] },
          ],
          pressure_us: { cpu: 120_000, io: 4000, memory: 0 },
          missing: [],
        },
      },
    },
    errors: [],
  });
}
