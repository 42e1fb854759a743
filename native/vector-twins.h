/* Slots whose quantised vectors are equal: one node in the graph, the others beside it.
 *
 * The same text remembered again gives the same vector. Linked one by one, equal vectors fill each other's
 * lists until none of them leads out of the crowd: with 200 equal ones among 400, 27 of the others were not
 * found any more by their own vector (test/index/vector-graph.test.ts). So a node stands for all of them:
 *
 *   node ── has twins (a bit of its slot) ──► head[node] ──► {slot, next, last} ──► {slot, next} ──► 0
 *
 * in the order they came. Entries lie in a range that never moves; the inserter writes one, then publishes it
 * by the link that leads to it. A searcher that finds the node offers all its slots.
 *
 * To tell that a vector is there already the inserter keeps a table of checksums (open addressing, linear
 * probing), confirmed by comparing bytes. Nobody else reads it; after a load it is made when first needed. */
#ifndef ENGRAM_VECTOR_TWINS_H
#define ENGRAM_VECTOR_TWINS_H

#include <atomic>
#include <stdint.h>

#include "vector-memory.h"

namespace engram {

struct vector_graph;

struct twin_entry {
    uint32_t slot;
    uint32_t next; /* index of the next entry + 1; 0 at the end. Atomic */
    uint32_t last; /* of a head: index of the chain's last entry + 1. The inserter's */
};

struct twin_store {
    vector_range entries{}; /* twin_entry */
    vector_range heads{};   /* u32 per node: index of its first entry + 1 */
    std::atomic<uint32_t> count{0};

    uint64_t *digests{}; /* checksum << 32 | node + 1; 0 where free */
    uint64_t digest_capacity{}, digest_count{};
    bool digests_whole{true}; /* false after a load */
};

int32_t twins_reserve(twin_store *twins, uint64_t nodes_most, vector_place place);
void twins_free(twin_store *twins);
/* Forgets all, keeps the address space. */
void twins_clear(twin_store *twins);

/* The node that has this vector already, or -1; -2 without memory. */
int64_t twins_find(vector_graph *graph, const uint8_t *vector);
/* Notes the vector of a node just linked. Returns 0 or -ENOMEM. */
int32_t twins_note(vector_graph *graph, uint32_t node);
/* Puts a slot beside a node. Returns 0 or a negative errno. */
int32_t twins_append(vector_graph *graph, uint32_t node, uint32_t slot);

} // namespace engram

#endif
