/* BM25 over the posting lists of a space (src/layout/posting.ts): adding a list's scores up, and picking the
 * best of what was touched. Recall spends a third of its time here; in JavaScript a posting cost some 5 ns.
 *
 * Lists are read without a lock while their home writer adds to them. The writer stores a posting before the
 * count that covers it, and fills a block before the block in front names it; both words are read here so
 * that what they cover is seen. */
#include "best-heap.h"
#include "shim.h"
#include "vector-arena.h"

#define UNIT_BYTES 16
enum { BLOCK_NEXT = 0, BLOCK_COUNT = 1, BLOCK_CAPACITY = 2, BLOCK_SLOTS = 4 }; /* in words of 4 bytes */

/* Adds one term's scores to those of its memories.
 *
 *   table, chunk_bytes  the posting arena
 *   head                unit of the list's first block, 0 for an empty list
 *   node_count          slots from here on are not seen; slots of a list only grow
 *   gain                idf times (k1 + 1)
 *   norms               256 numbers: k1 (1 - b + b length / average), by length byte
 *   scores              by slot, node_count numbers; 0 where nothing was added yet
 *   touched             slots whose score is not 0, node_count numbers of room
 *   touched_count       how many there are
 *
 * Returns how many slots are touched now. */
SHIM_EXPORT uint32_t shim_words_accumulate(const uint64_t *table, uint64_t chunk_bytes, uint32_t head,
                                           uint32_t node_count, float gain, const float *norms, float *scores,
                                           uint32_t *touched, uint32_t touched_count) {
    for (uint32_t block = head; block != 0;) {
        const uint64_t position = (uint64_t)block * UNIT_BYTES;
        const uint64_t chunk = __atomic_load_n(&table[position / chunk_bytes], __ATOMIC_RELAXED);
        const uint32_t *words = (const uint32_t *)(chunk + position % chunk_bytes);
        const uint32_t count = __atomic_load_n(&words[BLOCK_COUNT], __ATOMIC_ACQUIRE);
        const uint32_t *slots = words + BLOCK_SLOTS;
        const uint8_t *pairs = (const uint8_t *)(slots + words[BLOCK_CAPACITY]);
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t slot = slots[i];
            if (slot >= node_count) return touched_count;
            const float frequency = pairs[2 * i];
            const float before = scores[slot];
            /* Always written, counted only where it is new: a branch here would be guessed wrong half the time. */
            touched[touched_count] = slot;
            touched_count += before == 0.0f;
            scores[slot] = before + gain * frequency / (frequency + norms[pairs[2 * i + 1]]);
        }
        block = __atomic_load_n(&words[BLOCK_NEXT], __ATOMIC_ACQUIRE);
    }
    return touched_count;
}

/* Zeroes the scores of `count` touched slots. */
SHIM_EXPORT void shim_words_reset(float *scores, const uint32_t *touched, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) scores[touched[i]] = 0.0f;
}

/* Picks the best scored of `count` touched slots, in no order.
 *
 *   passes     by position in `touched`: 0 leaves a slot out; NULL where a slot only has to be a live memory
 *   headers    chunk table of the header arena, and log2 of its slots per chunk; read only where passes is NULL
 *   k          how many at most
 *   slots_out, scores_out  k of each
 *
 * A header costs a cache miss, so only slots that would be kept are asked whether they are live memories.
 * Returns how many were picked. */
SHIM_EXPORT uint32_t shim_words_best(const uint32_t *touched, uint32_t count, const float *scores,
                                     const uint8_t *passes, const uint64_t *headers, uint32_t chunk_shift, uint32_t k,
                                     uint32_t *slots_out, float *scores_out) {
    const struct vector_arena arena = {headers, chunk_shift, sizeof(struct layout_node_header)};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t slot = touched[i];
        const float score = scores[slot];
        if (!best_heap_wants(scores_out, kept, k, score)) continue;
        if (passes != NULL ? !passes[i] : !vector_is_memory(vector_header(&arena, slot))) continue;
        kept = best_heap_put(slots_out, scores_out, kept, k, slot, score);
    }
    return kept;
}
