/* The best of many: a heap of slots and scores with the worst on top. */
#ifndef ENGRAM_BEST_HEAP_H
#define ENGRAM_BEST_HEAP_H

#include <stdint.h>

/* Whether a score would be kept by a heap of `k` that holds `kept`. */
static inline int best_heap_wants(const float *scores, uint32_t kept, uint32_t k, float score) {
    return kept < k || score > scores[0];
}

/* Keeps a slot that the heap wants. Returns how many it holds now. */
static inline uint32_t best_heap_put(uint32_t *slots, float *scores, uint32_t kept, uint32_t k, uint32_t slot,
                                     float score) {
    uint32_t at;
    if (kept < k) { /* up from the end */
        at = kept++;
        while (at > 0 && scores[(at - 1) / 2] > score) {
            scores[at] = scores[(at - 1) / 2];
            slots[at] = slots[(at - 1) / 2];
            at = (at - 1) / 2;
        }
    } else { /* in the place of the worst: down from the top */
        at = 0;
        for (uint32_t child = 1; child < kept; child = 2 * at + 1) {
            if (child + 1 < kept && scores[child + 1] < scores[child]) child++;
            if (scores[child] >= score) break;
            scores[at] = scores[child];
            slots[at] = slots[child];
            at = child;
        }
    }
    scores[at] = score;
    slots[at] = slot;
    return kept;
}

#endif
