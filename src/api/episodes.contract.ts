/** What the calls on episodes take and answer. */
import { z } from "zod";
import { Contract } from "./contract.ts";
import type { FieldForm } from "./query-fields.ts";
import { memoryReply } from "./recall.contract.ts";
import { rememberContracts } from "./remember.contract.ts";
import { type ApiLimits, LIST_LIMIT_MAX } from "./settings.ts";
import { episodeDetails, nameField, timeField, unitField } from "./shared.contract.ts";

export const CAUSES_MAX = 16;

/** The documented contract, whose limits are those that are set. */
export function episodeContracts(limits: ApiLimits) {
  const { content, timestamp: _when, ...common } = rememberContracts(limits).memory.shape;
  const episode = z.strictObject({
    what: content.describe(`what happened; at most ${limits.contentBytesMax} bytes of UTF-8`),
    when: timeField.optional().describe("when it happened; now where absent"),
    ...episodeDetails.shape,
    valence: z.number().min(-1).max(1).optional().describe("how it felt, -1 to 1; 0 where absent"),
    importance: unitField.optional().describe("how much it matters, 0 to 1; 0.5 where absent"),
    caused_by: z
      .array(z.string().min(1))
      .max(CAUSES_MAX)
      .optional()
      .describe("ids of memories that caused it; each is linked to it as a cause"),
    ...common,
  });
  return {
    episode,
    /** while serving, the embedding is read by one loop */
    checkedEpisode: new Contract(episode.extend({ embedding: z.unknown().optional() })),
  };
}

export type EpisodeContracts = ReturnType<typeof episodeContracts>;
export type CheckedEpisode = z.output<EpisodeContracts["checkedEpisode"]["schema"]>;

export const replayQuery = z.strictObject({
  from: timeField.optional().describe("only episodes of this time or later"),
  to: timeField.optional().describe("only episodes of this time or earlier"),
  session: nameField.optional().describe("only episodes of this session"),
  who: nameField.optional().describe("only episodes in which this one took part"),
  limit: z.int().min(1).max(LIST_LIMIT_MAX).optional().describe("episodes on a page; 50 where absent"),
  cursor: z.string().min(1).max(256).optional().describe("next_cursor of the page before"),
});
export const REPLAY_QUERY_FORMS: Readonly<Record<keyof z.output<typeof replayQuery>, FieldForm>> = {
  from: "time",
  to: "time",
  session: "text",
  who: "text",
  limit: "number",
  cursor: "text",
};
export const checkedReplay = new Contract(replayQuery);

export const replayReply = z.strictObject({
  episodes: z.array(memoryReply).describe("in the order in which they happened"),
  next_cursor: z.string().nullable().describe("null on the last page"),
});
