/**
 * One memory's bytes in the content arena: what a client gave, and the tag hashes that filters compare.
 *
 *   byte 0          2           4               8                12           16
 *        | id bytes | tag count | content bytes | metadata bytes | tags bytes | tag hash, u64 … | id | content | tags | metadata
 *
 * Texts are UTF-8; tags are joined by U+0000; metadata is a serialised JSON object or empty. In an episode or a
 * concept, its details come before the metadata: a serialised JSON object or empty, and DETAILS_END. A record starts
 * at a multiple of 8, is padded to one, and never spans two chunks of the arena.
 */
export const CONTENT_RECORD_HEAD_BYTES = 16;

export const CONTENT_RECORD = {
  /** u16 */
  idBytes: 0,
  /** u16 */
  tagCount: 2,
  /** u32 */
  contentBytes: 4,
  /** u32 */
  metadataBytes: 8,
  /** u32 */
  tagsBytes: 12,
} as const;

/** No JSON text holds this character. */
export const DETAILS_END = "\0";
