/* Address space for things that grow and must never move: a graph's nodes and links.
 *
 * A range is reserved without memory (PROT_NONE, which counts towards no limit on commitments), bound to a
 * node, and made usable from its start on in steps. Readers hold plain addresses into it, so growing needs
 * no lock and no copy. The first step is on base pages, so that a small space stays small; later ones ask
 * for 2 MiB pages. Pages come on touch. */
#ifndef ENGRAM_VECTOR_MEMORY_H
#define ENGRAM_VECTOR_MEMORY_H

#include <stdint.h>

struct vector_range {
    uint8_t *base;
    uint64_t reserved_bytes;
    /* usable bytes; only the owner of the range reads and writes it */
    uint64_t usable_bytes;
};

/* Where pages come from. */
struct vector_place {
    uint64_t interleave_mask; /* one bit per node, to spread the pages over; 0 for none */
    int32_t node;             /* in place of the mask; < 0 leaves placement to the kernel */
};

/* Returns 0 or a negative errno. A place that can not be had (no such node, no NUMA in this kernel) is no
 * error: the memory is then placed by the kernel. */
int32_t vector_range_reserve(struct vector_range *range, uint64_t bytes, struct vector_place place);
/* Makes at least `bytes` usable: -ENOSPC past the reserved bytes, -ENOMEM when the kernel refuses. */
int32_t vector_range_grow(struct vector_range *range, uint64_t bytes);
void vector_range_free(struct vector_range *range);

#endif
