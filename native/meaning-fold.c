/* Texts by what their words were learned to mean: folded in from their terms, and compared with a query.
 *
 * A learned meaning is never changed: a new one is published in its place, and this one lives until the readers'
 * epoch is past. Vectors of terms and memories are i8 with a trailer (kernel-dot.h), all of one stride. */
#include "best-heap.h"
#include "kernel-dot.h"
#include "shim.h"
#include "vector-arena.h"

#include <math.h>
#include <string.h>

#define DIMENSIONS_MAX 512
#define NO_ROW 0xffffffffu
#define FRESH_BYTES (DIMENSIONS_MAX + sizeof(struct kernel_i8_trailer))

/* In step with src/ffi/meaning-fold.ts. */
struct meaning_model {
    const uint32_t *rows;     /* by term: its row, or NO_ROW */
    const float *gains;       /* by row */
    const uint8_t *vectors;   /* by row */
    uint64_t term_count;
    uint64_t dimensions;
    uint64_t stride_bytes;
    const uint64_t *headers;  /* chunk table of the space's headers */
    uint64_t header_shift;
    const uint64_t *forward;  /* chunk table of its forward lists */
    uint64_t forward_chunk_bytes;
    const uint64_t *memories; /* chunk table of the memories' vectors */
    uint64_t memory_shift;
};

static struct vector_arena headers_of(const struct meaning_model *model) {
    return (struct vector_arena){model->headers, (uint32_t)model->header_shift, sizeof(struct layout_node_header)};
}

static struct vector_arena memories_of(const struct meaning_model *model) {
    return (struct vector_arena){model->memories, (uint32_t)model->memory_shift, (uint32_t)model->stride_bytes};
}

static float occurrence_weight(uint32_t occurrences) {
    static const float few[8] = {0.0f, 1.0f, 1.5849625f, 2.0f, 2.3219281f, 2.5849625f, 2.8073549f, 3.0f};
    return occurrences < 8 ? few[occurrences] : log2f(1.0f + (float)occurrences);
}

/* Adds a term. Returns its weight, 0 for one that is not known. */
static float add_term(const struct meaning_model *model, uint32_t term, uint32_t occurrences, float *sum) {
    if (term >= model->term_count) return 0.0f;
    const uint32_t row = model->rows[term];
    if (row == NO_ROW) return 0.0f;
    const uint8_t *vector = model->vectors + row * model->stride_bytes;
    struct kernel_i8_trailer trailer;
    memcpy(&trailer, vector + kernel_i8_trailer_at(model->dimensions), sizeof trailer);
    const float weight = model->gains[row] * occurrence_weight(occurrences);
    const float scale = weight * trailer.scale;
    const int8_t *steps = (const int8_t *)vector;
    for (uint64_t i = 0; i < model->dimensions; i++) sum[i] += scale * (float)steps[i];
    return weight;
}

/* Brings the sum to length 1 and rounds it; zeros where nothing was known. */
static void finish(const struct meaning_model *model, float *sum, void *out) {
    double squared = 0;
    for (uint64_t i = 0; i < model->dimensions; i++) squared += (double)sum[i] * sum[i];
    const float scale = squared > 1e-12 ? (float)(1.0 / sqrt(squared)) : 0.0f;
    for (uint64_t i = 0; i < model->dimensions; i++) sum[i] *= scale;
    kernel_quantise(KERNEL_I8, sum, out, model->dimensions);
}

static uint32_t next_number(const uint8_t **at) {
    uint32_t value = 0;
    for (uint32_t shift = 0;; shift += 7) {
        const uint8_t byte = *(*at)++;
        value |= (uint32_t)(byte & 127) << shift;
        if (byte < 128 || shift > 21) return value;
    }
}

static const void *fold_slot(const struct meaning_model *model, const struct layout_node_header *header, void *out) {
    float sum[DIMENSIONS_MAX];
    memset(sum, 0, model->dimensions * sizeof *sum);
    const uint64_t position = (uint64_t)header->forward_at;
    const uint64_t chunk =
        __atomic_load_n(&model->forward[position / model->forward_chunk_bytes], __ATOMIC_RELAXED);
    const uint8_t *at = (const uint8_t *)chunk + position % model->forward_chunk_bytes;
    for (uint32_t left = next_number(&at); left > 0; left--) {
        const uint32_t term = next_number(&at);
        add_term(model, term, next_number(&at), sum);
    }
    finish(model, sum, out);
    return out;
}

/* Folds the slots [from, to) in; those that are not live are left as they are. Their memory is there. */
SHIM_EXPORT void shim_meaning_fold(const struct meaning_model *model, uint32_t from, uint32_t to) {
    const struct vector_arena headers = headers_of(model);
    const struct vector_arena memories = memories_of(model);
    for (uint32_t slot = from; slot < to; slot++) {
        const struct layout_node_header *header = vector_header(&headers, slot);
        if (!vector_is_live(header)) continue;
        fold_slot(model, header, (void *)vector_arena_at(&memories, slot));
    }
}

/* Folds `count` terms in, into `out`. Returns the weight of those that are known. */
SHIM_EXPORT double shim_meaning_text(const struct meaning_model *model, const uint32_t *terms,
                                     const uint16_t *occurrences, uint32_t count, void *out) {
    float sum[DIMENSIONS_MAX];
    memset(sum, 0, model->dimensions * sizeof *sum);
    double known = 0;
    for (uint32_t i = 0; i < count; i++) known += add_term(model, terms[i], occurrences[i], sum);
    finish(model, sum, out);
    return known;
}

/* Cosines of `count` slots with a text. Slots from `covered` on were not folded in yet, and are folded in here. */
SHIM_EXPORT void shim_meaning_compare(const struct meaning_model *model, const void *text, const uint32_t *slots,
                                      uint32_t count, uint32_t covered, float *cosines) {
    const struct vector_arena headers = headers_of(model);
    const struct vector_arena memories = memories_of(model);
    const kernel_dot_fn dot = kernel_dot(KERNEL_I8, KERNEL_BEST);
    uint8_t fresh[FRESH_BYTES] __attribute__((aligned(64)));
    for (uint32_t i = 0; i < count; i++)
        if (slots[i] < covered) __builtin_prefetch(vector_arena_at(&memories, slots[i]));
    for (uint32_t i = 0; i < count; i++) {
        const void *vector = slots[i] < covered ? vector_arena_at(&memories, slots[i])
                                                : fold_slot(model, vector_header(&headers, slots[i]), fresh);
        cosines[i] = dot(text, vector, model->dimensions);
    }
}

/* Picks the `k` live slots below `slot_count` nearest to a text, in no order; those with a cosine of 0 or less
 * have nothing to do with it. Slots from `covered` on are folded in here, some microseconds each. Returns how many. */
SHIM_EXPORT uint32_t shim_meaning_best(const struct meaning_model *model, const void *text, uint32_t covered,
                                       uint32_t slot_count, uint32_t k, uint32_t *slots_out, float *cosines_out) {
    const struct vector_arena headers = headers_of(model);
    const struct vector_arena memories = memories_of(model);
    const kernel_dot_fn dot = kernel_dot(KERNEL_I8, KERNEL_BEST);
    uint8_t fresh[FRESH_BYTES] __attribute__((aligned(64)));
    uint32_t kept = 0;
    for (uint32_t slot = 0; slot < slot_count; slot++) {
        const void *vector = slot < covered ? vector_arena_at(&memories, slot)
                                            : fold_slot(model, vector_header(&headers, slot), fresh);
        const float cosine = dot(text, vector, model->dimensions);
        if (cosine <= 0.0f || !best_heap_wants(cosines_out, kept, k, cosine)) continue;
        if (!vector_is_memory(vector_header(&headers, slot))) continue;
        kept = best_heap_put(slots_out, cosines_out, kept, k, slot, cosine);
    }
    return kept;
}
