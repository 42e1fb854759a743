/* Slots with equal vectors: see vector-twins.h. */
#include "vector-graph.h"

extern "C" uint32_t shim_crc32c(uint32_t crc, const uint8_t *data, uint64_t bytes);

namespace engram {
namespace {

constexpr uint64_t DIGESTS_FIRST = 1024;

uint64_t digest_of(const vector_graph *graph, const uint8_t *vector) {
    return (uint64_t)shim_crc32c(0, vector, graph->vector_bytes) << 32;
}

/* The slot where a digest is or would be. */
uint64_t probe(const twin_store &twins, uint64_t digest, uint64_t from) {
    const uint64_t mask = twins.digest_capacity - 1;
    uint64_t at = from & mask;
    while (twins.digests[at] != 0 && (twins.digests[at] & ~0xFFFFFFFFull) != digest) at = (at + 1) & mask;
    return at;
}

int32_t grow_digests(vector_graph *graph, uint64_t entries) {
    twin_store &twins = graph->twins;
    if (entries * 10 <= twins.digest_capacity * 7) return 0;
    uint64_t capacity = twins.digest_capacity ? twins.digest_capacity : DIGESTS_FIRST;
    while (entries * 10 > capacity * 7) capacity *= 2;
    uint64_t *fresh = (uint64_t *)calloc(capacity, sizeof(uint64_t));
    if (fresh == nullptr) return -ENOMEM;
    for (uint64_t i = 0; i < twins.digest_capacity; i++) {
        if (twins.digests[i] == 0) continue;
        uint64_t at = (twins.digests[i] >> 32) & (capacity - 1);
        while (fresh[at] != 0) at = (at + 1) & (capacity - 1);
        fresh[at] = twins.digests[i];
    }
    free(twins.digests);
    twins.digests = fresh;
    twins.digest_capacity = capacity;
    return 0;
}

int32_t note(vector_graph *graph, uint32_t node, const uint8_t *vector) {
    twin_store &twins = graph->twins;
    const int32_t status = grow_digests(graph, twins.digest_count + 1);
    if (status != 0) return status;
    const uint64_t digest = digest_of(graph, vector);
    const uint64_t mask = twins.digest_capacity - 1;
    uint64_t at = (digest >> 32) & mask;
    while (twins.digests[at] != 0) at = (at + 1) & mask;
    twins.digests[at] = digest | (node + 1u);
    twins.digest_count++;
    return 0;
}

int32_t complete_digests(vector_graph *graph) {
    twin_store &twins = graph->twins;
    if (twins.digests_whole) return 0;
    const uint32_t count = graph->count.load(std::memory_order_relaxed);
    int32_t status = grow_digests(graph, count + 1ull);
    for (uint32_t node = 0; node < count && status == 0; node++) {
        if (node + 2 < count) prefetch_vector(graph->vector_of(node + 2), graph->vector_bytes);
        status = note(graph, node, graph->vector_of(node));
    }
    if (status == 0) twins.digests_whole = true;
    return status;
}

} // namespace

int32_t twins_reserve(twin_store *twins, uint64_t nodes_most, vector_place place) {
    const int32_t status = vector_range_reserve(&twins->entries, nodes_most * sizeof(twin_entry), place);
    if (status != 0) return status;
    return vector_range_reserve(&twins->heads, nodes_most * sizeof(uint32_t), place);
}

void twins_clear(twin_store *twins) {
    twins->count.store(0, std::memory_order_relaxed);
    free(twins->digests);
    twins->digests = nullptr;
    twins->digest_capacity = 0;
    twins->digest_count = 0;
    twins->digests_whole = true;
    /* The heads of nodes are zero until their first twin; what a cleared graph left is written over. */
    if (twins->heads.usable_bytes > 0) memset(twins->heads.base, 0, twins->heads.usable_bytes);
}

void twins_free(twin_store *twins) {
    free(twins->digests);
    twins->digests = nullptr;
    vector_range_free(&twins->entries);
    vector_range_free(&twins->heads);
}

int64_t twins_find(vector_graph *graph, const uint8_t *vector) {
    if (complete_digests(graph) != 0) return -2;
    const twin_store &twins = graph->twins;
    /* Room for this one too, so that noting it after it is linked can not fail. */
    if (grow_digests(graph, twins.digest_count + 1) != 0) return -2;
    const uint64_t digest = digest_of(graph, vector);
    for (uint64_t at = probe(twins, digest, digest >> 32); twins.digests[at] != 0;
         at = probe(twins, digest, at + 1)) {
        const uint32_t node = (uint32_t)twins.digests[at] - 1;
        if (memcmp(graph->vector_of(node), vector, graph->vector_bytes) == 0) return node;
    }
    return -1;
}

int32_t twins_note(vector_graph *graph, uint32_t node) { return note(graph, node, graph->vector_of(node)); }

int32_t twins_append(vector_graph *graph, uint32_t node, uint32_t slot) {
    twin_store &twins = graph->twins;
    const uint32_t index = twins.count.load(std::memory_order_relaxed);
    int32_t status = vector_range_grow(&twins.entries, ((uint64_t)index + 1) * sizeof(twin_entry));
    if (status == 0) status = vector_range_grow(&twins.heads, ((uint64_t)node + 1) * sizeof(uint32_t));
    if (status != 0) return status;
    twin_entry *entries = reinterpret_cast<twin_entry *>(twins.entries.base);
    uint32_t *head = reinterpret_cast<uint32_t *>(twins.heads.base) + node;
    entries[index] = twin_entry{slot, 0, index + 1};
    twins.count.store(index + 1, std::memory_order_relaxed);
    if (*head == 0) {
        __atomic_store_n(head, index + 1, __ATOMIC_RELEASE);
        node_entry *of = reinterpret_cast<node_entry *>(graph->nodes.base) + node;
        __atomic_store_n(&of->slot, of->slot | HAS_TWINS, __ATOMIC_RELEASE);
    } else {
        twin_entry &first = entries[*head - 1];
        __atomic_store_n(&entries[first.last - 1].next, index + 1, __ATOMIC_RELEASE);
        first.last = index + 1;
    }
    return 0;
}

} // namespace engram
