/* Opening, filling and closing a graph: see vector-graph.h for how it lies in memory. */
#include "vector-graph.h"

#include <algorithm>
#include <pthread.h>

namespace engram {

thread_local link_tape *current_tape = nullptr;

namespace {

constexpr uint32_t RECORD_HEAD_BYTES = sizeof(uint32_t) + sizeof(int16_t);
constexpr std::size_t CAPACITY_FIRST = 1024;

/* Room for nodes_most records: a node is on 1/(M-1) upper levels on average; a quarter more for bad luck. */
uint64_t tape_bytes_most(const graph_config &config, uint32_t base_list, uint32_t upper_list) {
    const double levels = 1.0 / (config.connectivity - 1);
    const double record = RECORD_HEAD_BYTES + 2 + base_list + levels * upper_list;
    const double bytes = record * config.nodes_most * 1.25 + (1 << 20);
    const double addressable = 4.0 * 4294967295.0; /* links_at counts 4-byte units in 32 bits */
    return (uint64_t)std::min(bytes, addressable);
}

bool arena_is_sound(const vector_arena &arena) {
    return arena.table != nullptr && arena.chunk_shift < 32 && arena.stride_bytes > 0;
}

/* Grows index_gt's own arrays ahead of need. Searchers do not read them, so nothing has to stop. */
int32_t make_room(vector_graph *graph) {
    usearch_index &index = *graph->index;
    if (index.size() < index.capacity()) return 0;
    const std::size_t capacity =
        std::min<std::size_t>(std::max(CAPACITY_FIRST, index.capacity() * 2), graph->config.nodes_most);
    if (capacity <= index.size()) return -ENOSPC;
    if (!index.try_reserve(unum::usearch::index_limits_t(capacity, 1))) return -ENOMEM;
    return 0;
}

int32_t insert(vector_graph *graph, uint32_t slot) {
    const uint8_t *vector = vector_arena_at(&graph->config.quantised, slot);
    const int64_t twin = twins_find(graph, vector);
    if (twin == -2) return -ENOMEM;
    if (twin >= 0) return twins_append(graph, (uint32_t)twin, slot);

    int32_t status = make_room(graph);
    if (status != 0) return status;
    usearch_index &index = *graph->index;
    const uint32_t node = (uint32_t)index.size();
    status = vector_range_grow(&graph->nodes, ((uint64_t)node + 1) * sizeof(node_entry));
    if (status != 0) return status;

    /* The table's entry must stand before the first link to the node: index_gt measures it by its number. */
    auto enter = [&](usearch_index::member_ref_t member) {
        status = graph_enter_node(graph, node, slot, member.key.ptr());
    };
    unum::usearch::index_update_config_t how;
    how.expansion = graph->config.ef_construction;
    how.thread = 0;
    const bool was_empty = node == 0;
    const std::size_t top_level = index.max_level();
    measure_queue queue;
    queue.count = queue.next = 0;
    auto added = index.add(slot, vector, graph_metric{graph, &queue}, how, enter, graph_prefetch{graph, &queue});
    if (added.error) {
        added.error.release();
        return -ENOMEM;
    }
    if (status != 0) return status;
    graph->count.store(node + 1, std::memory_order_release);
    if (was_empty || index.max_level() > top_level)
        graph->entry.store((uint64_t)index.max_level() << 32 | node, std::memory_order_release);
    status = twins_note(graph, node);
    graph->working_bytes.store(graph_working_bytes(graph), std::memory_order_relaxed);
    return status;
}

} // namespace

uint64_t graph_working_bytes(const vector_graph *graph) {
    return graph->index->capacity() * sizeof(void *) + graph->twins.digest_capacity * sizeof(uint64_t);
}

int32_t graph_enter_node(vector_graph *graph, uint32_t node, uint32_t slot, const void *record) {
    const uint64_t list_at = (uint64_t)((const uint8_t *)record - graph->tape.range.base) + RECORD_HEAD_BYTES;
    if (list_at % 4 != 0) return -EFAULT;
    node_entry *table = reinterpret_cast<node_entry *>(graph->nodes.base);
    table[node] = node_entry{slot, (uint32_t)(list_at / 4)};
    return 0;
}

} // namespace engram

using namespace engram;

/* Makes an empty graph.
 *
 *   config       a graph_config block; the arenas' tables stay the caller's and must outlive the graph
 *   address_out  the graph, for every other call of any thread, until shim_vector_close()
 *
 * Returns 0, -EINVAL for a config outside its bounds (our bug) or -ENOMEM. */
SHIM_EXPORT int32_t shim_vector_open(const void *config_block, uint64_t *address_out) {
    graph_config config;
    memcpy(&config, config_block, sizeof config);
    if (config.dims == 0 || config.dims > 65536 || config.quantization >= KERNEL_KINDS) return -EINVAL;
    if (config.connectivity < 2 || config.connectivity * 2 > LINKS_MOST) return -EINVAL;
    if (config.ef_construction == 0 || config.nodes_most == 0 || config.nodes_most >= (1u << 30)) return -EINVAL;
    /* Slots and nodes leave the upper bits to flags. */
    if (!arena_is_sound(config.headers) || !arena_is_sound(config.exact) || !arena_is_sound(config.quantised))
        return -EINVAL;
    const std::size_t vector_bytes = kernel_vector_bytes((kernel_kind)config.quantization, config.dims);
    if (config.quantised.stride_bytes < vector_bytes || config.exact.stride_bytes < 4 * config.dims) return -EINVAL;
    if (config.content.table == nullptr || config.content.chunk_bytes == 0) return -EINVAL;

    vector_graph *graph = new (std::nothrow) vector_graph();
    if (graph == nullptr) return -ENOMEM;
    graph->config = config;
    graph->kind = (kernel_kind)config.quantization;
    graph->dot = kernel_dot(graph->kind, KERNEL_BEST);
    graph->dot_exact = kernel_dot(KERNEL_F32, KERNEL_BEST);
    graph->vector_bytes = (uint32_t)vector_bytes;
    graph->base_list_bytes = 4 + 4 * 2 * config.connectivity;
    graph->upper_list_bytes = 4 + 4 * config.connectivity;

    const uint64_t tape_bytes = tape_bytes_most(config, graph->base_list_bytes, graph->upper_list_bytes);
    const vector_place place{config.interleave_mask, config.node};
    int32_t status = vector_range_reserve(&graph->nodes, (uint64_t)config.nodes_most * sizeof(node_entry), place);
    if (status == 0) status = vector_range_reserve(&graph->tape.range, tape_bytes, place);
    if (status == 0) status = twins_reserve(&graph->twins, config.nodes_most, place);
    if (status == 0) {
        current_tape = &graph->tape;
        unum::usearch::index_config_t shape(config.connectivity, config.connectivity * 2);
        graph->index = new (std::nothrow) usearch_index(shape);
        current_tape = nullptr;
        if (graph->index == nullptr) status = -ENOMEM;
    }
    if (status != 0) {
        vector_range_free(&graph->nodes);
        vector_range_free(&graph->tape.range);
        twins_free(&graph->twins);
        delete graph;
        return status;
    }
    *address_out = (uint64_t)graph;
    return 0;
}

/* Frees a graph. The caller makes sure that no thread is inside it or will call it again. */
SHIM_EXPORT int32_t shim_vector_close(uint64_t address) {
    vector_graph *graph = graph_from(address);
    if (graph == nullptr) return -EINVAL;
    graph->magic = 0;
    delete graph->index;
    vector_range_free(&graph->nodes);
    vector_range_free(&graph->tape.range);
    twins_free(&graph->twins);
    delete graph;
    return 0;
}

/* Offers `count` slots from `first_slot` on to the graph, in order.
 *
 * A slot that is live and has a vector is linked, or put beside the node of an equal vector; another one is
 * skipped for good: a memory that gets its vector later gets a new slot. `first_slot` must be where the last call ended (the covered count), so that
 * no slot is linked twice. One inserter at a time; another one waits. Some 0.3 ms a slot of 768 dimensions,
 * so call it with a few at a time where the caller has to stay responsive.
 *
 *   counts_out  {linked, skipped}, also after an error: what was done before it
 *
 * Returns 0, -EINVAL for another first slot, -ENOSPC at the node limit, -ENOMEM. */
SHIM_EXPORT int32_t shim_vector_add(uint64_t address, uint32_t first_slot, uint32_t count, uint32_t *counts_out) {
    vector_graph *graph = graph_from(address);
    if (graph == nullptr) return -EINVAL;
    std::lock_guard<std::mutex> held(graph->writer);
    counts_out[0] = 0;
    counts_out[1] = 0;
    if (first_slot != graph->covered.load(std::memory_order_relaxed)) return -EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t slot = first_slot + i;
        const layout_node_header *header = vector_header(&graph->config.headers, slot);
        if (vector_is_live(header) && vector_has_vector(header)) {
            const int32_t status = insert(graph, slot);
            if (status != 0) return status;
            counts_out[0]++;
        } else {
            counts_out[1]++;
        }
        graph->covered.store(slot + 1, std::memory_order_release);
    }
    return 0;
}

/* What a graph is and holds; from any thread.
 *
 *   out  {nodes, covered slots, top level, M, ef_construction, quantization, bytes in use, bytes reserved as
 *        address space, slots beside a node of an equal vector} as f64 */
SHIM_EXPORT int32_t shim_vector_stats(uint64_t address, double *out) {
    const vector_graph *graph = graph_from(address);
    if (graph == nullptr) return -EINVAL;
    const uint32_t count = graph->count.load(std::memory_order_acquire);
    out[0] = count;
    out[1] = graph->covered.load(std::memory_order_acquire);
    out[2] = count == 0 ? 0 : (double)(graph->entry.load(std::memory_order_acquire) >> 32);
    out[3] = graph->config.connectivity;
    out[4] = graph->config.ef_construction;
    out[5] = graph->config.quantization;
    const uint32_t twins = graph->twins.count.load(std::memory_order_relaxed);
    out[6] = (double)(graph->tape.used_bytes.load(std::memory_order_relaxed) + (uint64_t)count * sizeof(node_entry) +
                      (uint64_t)twins * sizeof(twin_entry) + graph->working_bytes.load(std::memory_order_relaxed));
    out[7] = (double)(graph->tape.range.reserved_bytes + graph->nodes.reserved_bytes +
                      graph->twins.entries.reserved_bytes + graph->twins.heads.reserved_bytes);
    out[8] = twins;
    return 0;
}

namespace {

struct quantise_share {
    const vector_graph *graph;
    uint32_t first, end;
};

void *quantise_range(void *argument) {
    const quantise_share *share = (const quantise_share *)argument;
    const graph_config &config = share->graph->config;
    for (uint32_t slot = share->first; slot < share->end; slot++)
        kernel_quantise(share->graph->kind, (const float *)vector_arena_at(&config.exact, slot),
                        (uint8_t *)vector_arena_at(&config.quantised, slot), config.dims);
    return nullptr;
}

} // namespace

/* Fills the quantised arena from the exact one for `count` slots, with up to `threads` threads: after a load,
 * the chunks are mapped and nobody reads these slots yet. Nothing to do for f32, where both are one arena. */
SHIM_EXPORT int32_t shim_vector_quantise_slots(uint64_t address, uint32_t first_slot, uint32_t count,
                                               uint32_t threads) {
    vector_graph *graph = graph_from(address);
    if (graph == nullptr) return -EINVAL;
    if (graph->config.quantised.table == graph->config.exact.table || count == 0) return 0;
    constexpr uint32_t THREADS_MOST = 64;
    constexpr uint32_t SLOTS_PER_THREAD_LEAST = 1024;
    threads = std::max(1u, std::min({threads, THREADS_MOST, count / SLOTS_PER_THREAD_LEAST}));
    quantise_share shares[THREADS_MOST];
    pthread_t helpers[THREADS_MOST];
    uint32_t started = 0;
    for (uint32_t i = 0; i < threads; i++) {
        shares[i] = {graph, first_slot + (uint32_t)((uint64_t)count * i / threads),
                     first_slot + (uint32_t)((uint64_t)count * (i + 1) / threads)};
        if (i == 0) continue;
        if (pthread_create(&helpers[started], nullptr, quantise_range, &shares[i]) == 0) started++;
        else quantise_range(&shares[i]);
    }
    quantise_range(&shares[0]);
    for (uint32_t i = 0; i < started; i++) pthread_join(helpers[i], nullptr);
    return 0;
}
