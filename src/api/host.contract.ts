/** What the call about the host answers. */
import { z } from "zod";

const count = z.number();
const threadReply = z.strictObject({
  id: count.describe("the kernel's number of it"),
  name: z.string(),
  state: z.string().describe("R runs, S sleeps, D waits for a device"),
  cpu_s: count,
  queued_s: count.describe("ready to run, and waiting for a core"),
  voluntary_switches: count,
  involuntary_switches: count,
});
const partReply = z.strictObject({
  part: z.string(),
  mapped_bytes: count,
  resident_bytes: count,
  transparent_bytes: count,
  reserved_bytes: count,
  swapped_bytes: count,
  pages_placed: count.describe("sampled pages that lie on the node they were asked for"),
  pages_misplaced: count.describe("sampled pages that lie on another one"),
  pages_by_node: z.record(z.string(), count),
});
const nodeReply = z.strictObject({
  node: count,
  cpus: count,
  total_bytes: count,
  free_bytes: count,
  distances: z.array(count),
});

export const hostReply = z.strictObject({
  at_ms: count,
  pid: count,
  cores: count,
  threads: z.array(threadReply),
  memory: z.strictObject({
    resident_bytes: count,
    anonymous_bytes: count,
    file_bytes: count,
    swapped_bytes: count,
    hugetlb_bytes: count,
    transparent_bytes: count.nullable(),
  }),
  parts: z.array(partReply).describe("mapped regions by what they hold"),
  io: z
    .strictObject({ read_bytes: count, written_bytes: count })
    .nullable()
    .describe("as the kernel charges the process: pages of files made dirty, large ones counted whole"),
  nodes: z.array(nodeReply),
  pressure_us: z.strictObject({ cpu: count.nullable(), io: count.nullable(), memory: count.nullable() }),
  missing: z
    .array(z.strictObject({ what: z.string(), reason: z.string(), remedy: z.string() }))
    .describe("what could not be had, and what would help"),
});
