/* How C reads the arenas of a memory space, and how a recall's filter is put to a slot.
 *
 * An arena is a table of chunk addresses, filled in by the space's home writer before it publishes the
 * slots that need them. Whoever has read the published count may read every slot below it without a lock.
 * The offsets are those of src/layout: node-header.ts, content-record.ts and filter.ts. */
#ifndef ENGRAM_VECTOR_ARENA_H
#define ENGRAM_VECTOR_ARENA_H

#include <stdint.h>
#include <string.h>

#define HEADER_TIMESTAMP_AT 8
#define HEADER_CONTENT_AT 24
#define HEADER_CONFIDENCE_AT 40
#define HEADER_NORM_AT 44
#define HEADER_BLOOM_AT 56
#define HEADER_STATE_AT 64
#define HEADER_STATE_LIVE 1u
#define RECORD_TAG_COUNT_AT 2
#define RECORD_TAGS_AT 16
#define FILTER_FROM_AT 0
#define FILTER_TO_AT 8
#define FILTER_CONFIDENCE_AT 16
#define FILTER_TAG_COUNT_AT 20
#define FILTER_BLOOM_AT 24
#define FILTER_NODE_COUNT_AT 32
#define FILTER_TAGS_AT 40
#define FILTER_TAGS_MOST 32

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

/* Loads that ask nothing of the alignment; they compile to one instruction. */
static inline double load_f64(const uint8_t *at) {
    double value;
    memcpy(&value, at, sizeof value);
    return value;
}
static inline float load_f32(const uint8_t *at) {
    float value;
    memcpy(&value, at, sizeof value);
    return value;
}
static inline uint32_t load_u32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}
static inline uint64_t load_u64(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* A filter block, taken apart once per recall. */
struct vector_filter {
    double from_ms, to_ms;
    float min_confidence;
    uint32_t tag_count;
    uint64_t tag_bloom;
    const uint8_t *tag_hashes;
};

/* Returns 0 where the block asks for more tags than a filter may hold. */
static inline int vector_filter_read(struct vector_filter *filter, const uint8_t *block) {
    filter->from_ms = load_f64(block + FILTER_FROM_AT);
    filter->to_ms = load_f64(block + FILTER_TO_AT);
    filter->min_confidence = load_f32(block + FILTER_CONFIDENCE_AT);
    filter->tag_count = load_u32(block + FILTER_TAG_COUNT_AT);
    filter->tag_bloom = load_u64(block + FILTER_BLOOM_AT);
    filter->tag_hashes = block + FILTER_TAGS_AT;
    return filter->tag_count <= FILTER_TAGS_MOST;
}

static inline int vector_is_live(const uint8_t *header) {
    return load_u32(header + HEADER_STATE_AT) == HEADER_STATE_LIVE;
}
static inline int vector_has_vector(const uint8_t *header) { return load_f32(header + HEADER_NORM_AT) > 0.0f; }

/* Whether each of the filter's tags is in the record; the bloom says no to most that lack one. */
static inline int vector_tags_match(const struct vector_filter *filter, const struct vector_content *content,
                                    const uint8_t *header) {
    if ((load_u64(header + HEADER_BLOOM_AT) & filter->tag_bloom) != filter->tag_bloom) return 0;
    const uint64_t at = (uint64_t)load_f64(header + HEADER_CONTENT_AT);
    const uint64_t chunk = __atomic_load_n(&content->table[at / content->chunk_bytes], __ATOMIC_RELAXED);
    const uint8_t *record = (const uint8_t *)chunk + at % content->chunk_bytes;
    uint16_t tags;
    memcpy(&tags, record + RECORD_TAG_COUNT_AT, sizeof tags);
    for (uint32_t wanted = 0; wanted < filter->tag_count; wanted++) {
        const uint64_t hash = load_u64(filter->tag_hashes + 8 * wanted);
        uint32_t i = 0;
        while (i < tags && load_u64(record + RECORD_TAGS_AT + 8 * i) != hash) i++;
        if (i == tags) return 0;
    }
    return 1;
}

/* What a filter asks besides the state. */
static inline int vector_filter_passes(const struct vector_filter *filter, const struct vector_content *content,
                                       const uint8_t *header) {
    const double at_ms = load_f64(header + HEADER_TIMESTAMP_AT);
    if (!(at_ms >= filter->from_ms && at_ms <= filter->to_ms)) return 0;
    if (load_f32(header + HEADER_CONFIDENCE_AT) < filter->min_confidence) return 0;
    return filter->tag_count == 0 || vector_tags_match(filter, content, header);
}

#endif
