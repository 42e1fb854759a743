/* How C reads the arenas of a memory space, and how a recall's filter is put to a slot.
 *
 * An arena is a table of chunk addresses, filled in by the space's home writer before it publishes the
 * slots that need them. Whoever has read the published count may read every slot below it without a lock.
 * The offsets are those of src/layout: node-header.ts, content-record.ts and filter.ts. */
#ifndef ENGRAM_VECTOR_ARENA_H
#define ENGRAM_VECTOR_ARENA_H

#include <stdint.h>
#include <string.h>

#include "layout.h"

struct vector_arena {
    const uint64_t *table;
    uint32_t chunk_shift; /* log2 of slots per chunk */
    uint32_t stride_bytes;
};

static inline const uint8_t *vector_arena_at(const struct vector_arena *arena, uint32_t slot) {
    const uint64_t chunk = __atomic_load_n(&arena->table[slot >> arena->chunk_shift], __ATOMIC_RELAXED);
    const uint32_t in_chunk = slot & ((1u << arena->chunk_shift) - 1);
    return (const uint8_t *)chunk + (uint64_t)in_chunk * arena->stride_bytes;
}

/* Bytes, addressed by offset; a record never spans two chunks. */
struct vector_content {
    const uint64_t *table;
    uint64_t chunk_bytes;
};

/* A filter block, copied out once per recall: the block may lie at any address. */
struct vector_filter {
    struct layout_filter head;
    uint64_t tag_hashes[LAYOUT_FILTER_TAGS_MAX];
};

/* Returns 0 where the block asks for more tags than a filter may hold. */
static inline int vector_filter_read(struct vector_filter *filter, const uint8_t *block) {
    memcpy(&filter->head, block, sizeof filter->head);
    if (filter->head.tag_count > LAYOUT_FILTER_TAGS_MAX) return 0;
    memcpy(filter->tag_hashes, block + sizeof filter->head, filter->head.tag_count * sizeof(uint64_t));
    return 1;
}

static inline const struct layout_node_header *vector_header(const struct vector_arena *headers, uint32_t slot) {
    return (const struct layout_node_header *)vector_arena_at(headers, slot);
}
/* The only field of these that changes under a reader. */
static inline int vector_is_live(const struct layout_node_header *header) {
    return __atomic_load_n(&header->state, __ATOMIC_RELAXED) == LAYOUT_NODE_STATE_LIVE;
}
/* Memories are what a search without a filter finds. Concepts, which are made of them, are asked for by a filter,
 * or collected beside what is found. The kind lies in the line of the state. */
static inline int vector_is_memory(const struct layout_node_header *header) {
    return vector_is_live(header) && header->kind != LAYOUT_NODE_KIND_CONCEPT;
}
static inline int vector_is_concept(const struct layout_node_header *header) {
    return header->kind == LAYOUT_NODE_KIND_CONCEPT && vector_is_live(header);
}
static inline int vector_has_vector(const struct layout_node_header *header) { return header->vector_norm > 0.0f; }

/* Whether each of the filter's tags is in the record; the bloom says no to most that lack one. */
static inline int vector_tags_match(const struct vector_filter *filter, const struct vector_content *content,
                                    const struct layout_node_header *header) {
    if ((header->tag_bloom & filter->head.tag_bloom) != filter->head.tag_bloom) return 0;
    const uint64_t at = (uint64_t)header->content_at;
    const uint64_t chunk = __atomic_load_n(&content->table[at / content->chunk_bytes], __ATOMIC_RELAXED);
    const uint8_t *record = (const uint8_t *)chunk + at % content->chunk_bytes;
    const uint32_t tags = ((const struct layout_content_record *)record)->tag_count;
    const uint64_t *hashes = (const uint64_t *)(record + sizeof(struct layout_content_record));
    for (uint32_t wanted = 0; wanted < filter->head.tag_count; wanted++) {
        uint32_t i = 0;
        while (i < tags && hashes[i] != filter->tag_hashes[wanted]) i++;
        if (i == tags) return 0;
    }
    return 1;
}

/* What a filter asks besides the state. */
static inline int vector_filter_passes(const struct vector_filter *filter, const struct vector_content *content,
                                       const struct layout_node_header *header) {
    const struct layout_filter *asked = &filter->head;
    if (!(header->timestamp_ms >= asked->from_ms && header->timestamp_ms <= asked->to_ms)) return 0;
    if (header->confidence < asked->min_confidence) return 0;
    if (asked->stored_to_ms != 0 && header->stored_at_ms > asked->stored_to_ms) return 0;
    if (asked->kinds != 0 && !(asked->kinds >> header->kind & 1)) return 0;
    return asked->tag_count == 0 || vector_tags_match(filter, content, header);
}

#endif
