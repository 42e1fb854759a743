/** How the calls on episodes are described. */
import { type EpisodeContracts, replayQuery, replayReply } from "./episodes.contract.ts";
import { describeOperation } from "./openapi.ts";
import { MEMORY_EXAMPLE } from "./recall.docs.ts";
import { rememberedReply } from "./remember.contract.ts";
import { REMEMBER_ERRORS, REMEMBERED_EXAMPLE } from "./remember.docs.ts";

export const EPISODE_EXAMPLE = {
  ...MEMORY_EXAMPLE,
  content: "Ada signed the contract for the flat.",
  kind: "episode",
  importance: 0.8,
  valence: 0.6,
  episode: { where: "Lisbon", who: ["Ada", "Rui"], why: "The old flat was too loud", session: "moving" },
};

export function rememberEpisodeDetail(contracts: EpisodeContracts) {
  return describeOperation({
    id: "rememberEpisode",
    tag: "Episodes",
    summary: "Remember something that happened",
    description:
      "Stores an episode: what, and as far as it is known when, where, who, why and how, how it felt and how much it " +
      "matters. It is found, read and forgotten as any memory; episodes of one session are replayed in order.",
    right: "write",
    spaced: true,
    body: {
      schema: contracts.episode,
      examples: {
        what: { summary: "What happened", value: { what: "Ada signed the contract for the flat." } },
        full: {
          summary: "With everything but an embedding",
          value: {
            what: "Ada signed the contract for the flat.",
            when: "2026-01-31T12:00:00Z",
            where: "Lisbon",
            who: ["Ada", "Rui"],
            why: "The old flat was too loud",
            how: "With a pen that Rui had to lend her",
            valence: 0.6,
            importance: 0.8,
            session: "moving",
            caused_by: ["ada/moves/1"],
            id: "ada/moves/2",
            if_exists: "replace",
            tags: ["ada"],
            metadata: { source: "chat" },
          },
        },
      },
    },
    replies: { 201: { description: "Remembered", schema: rememberedReply, example: REMEMBERED_EXAMPLE } },
    errors: [...REMEMBER_ERRORS, "memory-exists", "memory-not-found"],
  });
}

export function replayDetail() {
  return describeOperation({
    id: "replayEpisodes",
    tag: "Episodes",
    summary: "Replay episodes in the order in which they happened",
    right: "read",
    spaced: true,
    query: replayQuery,
    replies: {
      200: {
        description: "A page of episodes",
        schema: replayReply,
        example: { episodes: [EPISODE_EXAMPLE], next_cursor: null },
      },
    },
    errors: ["space-not-found", "request-invalid"],
  });
}
