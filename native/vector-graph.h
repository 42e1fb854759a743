/* The graph object of a memory space: usearch's HNSW over vectors that lie in the space's arenas.
 *
 *   insert    usearch's index_gt builds and links (one inserter at a time: usearch issue 735)
 *   search    our own walk over the links index_gt made, without a lock and without index_gt's buffers
 *
 * Why an own walk. index_gt keeps its array of nodes in a buffer that moves when it grows, takes a spin lock
 * per node on the upper levels, which all searchers pass through, and can not stop early when a filter lets
 * little through. Nodes and links lie in ranges that never move (vector-memory.h), so searchers need nothing
 * but these:
 *
 *   node table   8 bytes per node {slot, where its links start}; written before any link names the node
 *   links        one record per node, made by index_gt's tape allocator:
 *                  | key u32 | level i16 | count u32, node u32 x 2M | count u32, node u32 x M | (per level)
 *                The record starts 2 bytes off a multiple of 4, so that every count and node number is
 *                aligned and read whole while the inserter writes.
 *   published    count of nodes, entry node and its level
 *
 * What a searcher may see while the inserter links a node X to a neighbour whose list is full: index_gt
 * clears that list, chooses (some 10 us) and fills it again. A searcher then reads an empty list, a part of
 * it, or zeros (node 0, a real node). None of it is out of bounds: counts are clamped, nodes at or past the
 * published count are left out. An empty list is read again for a moment, because the walk could otherwise
 * end at its first node. */
#ifndef ENGRAM_VECTOR_GRAPH_H
#define ENGRAM_VECTOR_GRAPH_H

#ifndef NDEBUG
#define NDEBUG /* usearch's checks throw, some of them out of functions that may not */
#endif

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>

#include <usearch/index.hpp>

#include "kernel-dot.h"
#include "shim.h"
#include "vector-arena.h"
#include "vector-memory.h"
#include "vector-twins.h"

namespace engram {

using usearch_byte = char;

/* malloc for index_gt's working buffers; answers NULL where std::allocator would throw through noexcept. */
template <typename T> struct working_allocator {
    using value_type = T;
    working_allocator() noexcept = default;
    template <typename U> working_allocator(const working_allocator<U> &) noexcept {}
    T *allocate(std::size_t count) noexcept {
        if (count > SIZE_MAX / sizeof(T)) return nullptr;
        constexpr std::size_t alignment = alignof(T) > 64 ? alignof(T) : 64;
        const std::size_t bytes = (count * sizeof(T) + alignment - 1) / alignment * alignment;
        return static_cast<T *>(std::aligned_alloc(alignment, bytes ? bytes : alignment));
    }
    void deallocate(T *at, std::size_t) noexcept { std::free(at); }
    template <typename U> bool operator==(const working_allocator<U> &) const noexcept { return true; }
    template <typename U> bool operator!=(const working_allocator<U> &) const noexcept { return false; }
};

/* The tape that node records are written on, one after another, never freed singly. */
struct link_tape {
    vector_range range{};
    std::atomic<uint64_t> used_bytes{0};

    /* 2 bytes off a multiple of 4: see the essay above. */
    void *take(std::size_t bytes) noexcept {
        const uint64_t start = ((used_bytes.load(std::memory_order_relaxed) + 1) & ~3ull) + 2;
        if (vector_range_grow(&range, start + bytes) != 0) return nullptr;
        used_bytes.store(start + bytes, std::memory_order_relaxed);
        return range.base + start;
    }
};

/* index_gt resets its allocators to default-made ones before it loads; `current` says which tape that is. */
extern thread_local link_tape *current_tape;

struct tape_allocator {
    using value_type = usearch_byte;
    link_tape *tape;
    tape_allocator() noexcept : tape(current_tape) {}
    usearch_byte *allocate(std::size_t bytes) noexcept {
        return tape ? static_cast<usearch_byte *>(tape->take(bytes)) : nullptr;
    }
    void deallocate(usearch_byte *at, std::size_t) noexcept {
        if (at == nullptr && tape) tape->used_bytes.store(0, std::memory_order_relaxed);
    }
    /* Tells index_gt that everything can be freed at once. */
    void reset() noexcept { deallocate(nullptr, 0); }
};

using usearch_index = unum::usearch::index_gt<float, uint32_t, uint32_t, working_allocator<usearch_byte>, tape_allocator>;

struct node_entry {
    uint32_t slot; /* with HAS_TWINS, which the inserter may set later */
    uint32_t links_at; /* in units of 4 bytes from the tape's base: of the base level's count */
};

constexpr uint32_t HAS_TWINS = 1u << 31;
constexpr uint32_t LINKS_MOST = 512; /* neighbours of a list at most: M up to 256 */
constexpr uint32_t LEVELS_MOST = 32;
constexpr uint64_t GRAPH_MAGIC = 0x48505247524e4745ull; /* "EGNRGRPH" */

struct graph_config {
    uint32_t dims, quantization, connectivity, ef_construction;
    int32_t node;
    uint32_t nodes_most;
    vector_arena headers, exact, quantised;
    vector_content content;
    uint64_t interleave_mask; /* NUMA nodes to spread the graph over, in place of `node`; 0 for none */
};
static_assert(sizeof(graph_config) == 96, "src/ffi/vector.ts writes this block");

struct vector_graph {
    uint64_t magic = GRAPH_MAGIC;
    graph_config config{};
    kernel_kind kind{};
    kernel_dot_fn dot{};       /* quantised by quantised */
    kernel_dot_fn dot_exact{}; /* f32 by f32 */
    uint32_t vector_bytes{};   /* of a quantised vector, without padding */
    uint32_t base_list_bytes{}, upper_list_bytes{};

    vector_range nodes{};
    link_tape tape{};
    twin_store twins{};

    /* Published by the inserter, in this order: the count, then the entry, then what is covered. */
    std::atomic<uint32_t> count{0};
    std::atomic<uint64_t> entry{0}; /* level << 32 | node; meaningless while count is 0 */
    std::atomic<uint32_t> covered{0}; /* slots below were offered to the graph: linked, or skipped for good */

    std::mutex writer; /* held by whoever inserts, saves, loads or repairs */
    usearch_index *index{};
    std::atomic<uint64_t> working_bytes{0};

    const node_entry &node_at(uint32_t node) const {
        return reinterpret_cast<const node_entry *>(nodes.base)[node];
    }
    uint32_t slot_of(uint32_t node) const {
        return __atomic_load_n(&node_at(node).slot, __ATOMIC_RELAXED) & ~HAS_TWINS;
    }
    const uint8_t *vector_of(uint32_t node) const { return vector_arena_at(&config.quantised, slot_of(node)); }
    /* The first entry beside a node, or NULL. */
    const twin_entry *twins_of(uint32_t node) const {
        if (!(__atomic_load_n(&node_at(node).slot, __ATOMIC_ACQUIRE) & HAS_TWINS)) return nullptr;
        return twin_at(__atomic_load_n(reinterpret_cast<const uint32_t *>(twins.heads.base) + node, __ATOMIC_ACQUIRE));
    }
    const twin_entry *twin_after(const twin_entry *entry) const {
        return twin_at(__atomic_load_n(&entry->next, __ATOMIC_ACQUIRE));
    }
    const twin_entry *twin_at(uint32_t link) const {
        return link == 0 ? nullptr : reinterpret_cast<const twin_entry *>(twins.entries.base) + (link - 1);
    }
    const uint32_t *base_list(const node_entry &entry_of) const {
        return reinterpret_cast<const uint32_t *>(tape.range.base) + entry_of.links_at;
    }
    const uint32_t *list_at(const node_entry &entry_of, uint32_t level) const {
        const uint32_t *base = base_list(entry_of);
        if (level == 0) return base;
        return base + (base_list_bytes + (level - 1) * upper_list_bytes) / 4;
    }
    uint32_t level_of(const node_entry &entry_of) const {
        int16_t level;
        memcpy(&level, reinterpret_cast<const uint8_t *>(base_list(entry_of)) - 2, sizeof level);
        return level < 0 ? 0 : (uint32_t)level;
    }
};

inline void prefetch_vector(const uint8_t *at, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i += 64) __builtin_prefetch(at + i, 0, 3);
}

/* Vectors fetched ahead of the one being measured: with more the core's fill buffers are full, and it waits
 * for them instead (103 us a search with 2, 112 with 4, 117 with 16, at 50,000 x 768 bf16). */
constexpr uint32_t PREFETCH_AHEAD = 2;

/* What index_gt is about to measure, in its order: handed over all at once, fetched a few at a time. */
struct measure_queue {
    uint32_t nodes[LINKS_MOST];
    uint32_t count, next;
};

/* The distance index_gt builds with: 1 - dot of two quantised vectors. */
struct graph_metric {
    const vector_graph *graph;
    measure_queue *queue;
    using member = usearch_index::member_citerator_t;
    float operator()(const uint8_t *a, const member &b) const noexcept {
        const uint32_t node = get_slot(b);
        if (queue->next < queue->count && queue->nodes[queue->next] == node) {
            const uint32_t ahead = queue->next++ + PREFETCH_AHEAD;
            if (ahead < queue->count) prefetch_vector(graph->vector_of(queue->nodes[ahead]), graph->vector_bytes);
        }
        return 1.0f - graph->dot(a, graph->vector_of(node), graph->config.dims);
    }
    float operator()(const member &a, const member &b) const noexcept {
        return 1.0f - graph->dot(graph->vector_of(get_slot(a)), graph->vector_of(get_slot(b)), graph->config.dims);
    }
};

/* index_gt calls it with the neighbours it is about to measure. */
struct graph_prefetch {
    const vector_graph *graph;
    measure_queue *queue;
    template <typename begin_t, typename end_t> void operator()(begin_t begin, end_t end) const noexcept {
        queue->count = 0;
        queue->next = 0;
        for (; begin != end && queue->count < LINKS_MOST; ++begin) {
            const uint32_t node = get_slot(begin);
            if (queue->count < PREFETCH_AHEAD) prefetch_vector(graph->vector_of(node), graph->vector_bytes);
            queue->nodes[queue->count++] = node;
        }
    }
};

inline vector_graph *graph_from(uint64_t address) {
    vector_graph *graph = reinterpret_cast<vector_graph *>(address);
    return graph != nullptr && graph->magic == GRAPH_MAGIC ? graph : nullptr;
}

/* What index_gt and the inserter hold besides the ranges. The caller holds the writer's lock. */
uint64_t graph_working_bytes(const vector_graph *graph);

/* Writes the table's entry of a node whose record index_gt has just made. Returns 0 or a negative errno. */
int32_t graph_enter_node(vector_graph *graph, uint32_t node, uint32_t slot, const void *record);

} // namespace engram

#endif
