/** What the calls on a space's vector index take and answer. */
import { z } from "zod";
import { Contract } from "./contract.ts";
import { spaceNameField } from "./shared.contract.ts";

export const indexQuery = z.strictObject({
  space: spaceNameField.optional().describe("the memory space, where X-Memory-Space does not name it"),
});
export const checkedIndexQuery = new Contract(indexQuery);

export const rebuildBody = z.strictObject({
  M: z.int().min(2).max(256).optional().describe("links of a vector in the graph; unchanged where absent"),
  ef_construction: z
    .int()
    .min(4)
    .max(4096)
    .optional()
    .describe("candidates looked at when a vector is inserted; unchanged where absent"),
});
export const checkedRebuild = new Contract(rebuildBody);

export const indexReply = z.strictObject({
  space: z.string(),
  M: z.int(),
  ef_construction: z.int(),
  ef_search: z.int(),
  quantization: z.string(),
  indexed: z.int().describe("vectors in the graph"),
  tail: z.int().describe("vectors not in the graph yet, searched exactly"),
  bytes: z.int(),
  rebuild: z
    .strictObject({ done: z.int(), total: z.int(), M: z.int(), ef_construction: z.int() })
    .optional()
    .describe("a rebuild under way: vectors done of total"),
});
