/* Checking and repairing a graph: see vector-check.h. */
#include "vector-check.h"

#include <algorithm>

namespace engram {

bool graph_is_sound(const vector_graph *graph, uint32_t covered) {
    const uint32_t count = graph->count.load(std::memory_order_relaxed);
    const uint64_t entry = graph->entry.load(std::memory_order_relaxed);
    const uint32_t top = (uint32_t)(entry >> 32);
    if (count == 0) return true;
    if ((uint32_t)entry >= count) return false;
    if (graph->level_of(graph->node_at((uint32_t)entry)) != top) return false;
    for (uint32_t node = 0; node < count; node++) {
        const node_entry &at = graph->node_at(node);
        if (graph->slot_of(node) >= covered) return false;
        const uint32_t levels = graph->level_of(at);
        if (levels > top) return false;
        for (uint32_t level = 0; level <= levels; level++) {
            const uint32_t *list = graph->list_at(at, level);
            const uint32_t most = graph->config.connectivity * (level == 0 ? 2 : 1);
            if (list[0] > most) return false;
            for (uint32_t i = 1; i <= list[0]; i++) {
                if (list[i] >= count) return false;
                if (level > 0 && graph->level_of(graph->node_at(list[i])) < level) return false;
            }
        }
    }
    return true;
}

int64_t graph_unreachable(const vector_graph *graph, uint32_t *out, uint32_t most) {
    const uint32_t count = graph->count.load(std::memory_order_relaxed);
    if (count == 0) return 0;
    uint8_t *reached = (uint8_t *)calloc(count, 1);
    uint32_t *open = (uint32_t *)malloc((size_t)count * sizeof(uint32_t));
    if (reached == nullptr || open == nullptr) {
        free(reached);
        free(open);
        return -1;
    }
    uint32_t waiting = 0;
    const uint32_t start = (uint32_t)graph->entry.load(std::memory_order_relaxed);
    reached[start] = 1;
    open[waiting++] = start;
    while (waiting > 0) {
        const uint32_t *list = graph->base_list(graph->node_at(open[--waiting]));
        for (uint32_t i = 1; i <= list[0]; i++) {
            if (reached[list[i]]) continue;
            reached[list[i]] = 1;
            open[waiting++] = list[i];
        }
    }
    int64_t missing = 0;
    for (uint32_t node = 0; node < count; node++) {
        if (reached[node]) continue;
        if (missing < most) out[missing] = node;
        missing++;
    }
    free(reached);
    free(open);
    return missing;
}

} // namespace engram

using namespace engram;

/* Links nodes again that can not be reached any more: a full neighbour may drop its last link to a node.
 * Searches go on meanwhile. Linking one node can cut another off, so it goes round until none is left, at
 * most `rounds` times.
 *
 *   counts_out  {unreachable before, unreachable after}
 *
 * Returns 0, -EINVAL or -ENOMEM. Some 10 ms per 100,000 nodes, and 0.3 ms for each node linked again. */
SHIM_EXPORT int32_t shim_vector_repair(uint64_t address, uint32_t rounds, uint32_t *counts_out) {
    vector_graph *graph = graph_from(address);
    if (graph == nullptr) return -EINVAL;
    std::lock_guard<std::mutex> held(graph->writer);
    constexpr uint32_t AT_ONCE = 4096;
    uint32_t lost[AT_ONCE];
    int64_t missing = graph_unreachable(graph, lost, AT_ONCE);
    if (missing < 0) return -ENOMEM;
    counts_out[0] = (uint32_t)missing;
    for (uint32_t round = 0; round < rounds && missing > 0; round++) {
        for (uint32_t i = 0; i < std::min<int64_t>(missing, AT_ONCE); i++) {
            unum::usearch::index_update_config_t how;
            how.expansion = graph->config.ef_construction;
            how.thread = 0;
            measure_queue queue;
            queue.count = queue.next = 0;
            const uint32_t slot = graph->slot_of(lost[i]);
            auto linked = graph->index->update(graph->index->iterator_at(lost[i]), slot, graph->vector_of(lost[i]),
                                               graph_metric{graph, &queue}, how,
                                               [](usearch_index::member_ref_t) noexcept {}, graph_prefetch{graph, &queue});
            if (linked.error) {
                linked.error.release();
                return -ENOMEM;
            }
        }
        missing = graph_unreachable(graph, lost, AT_ONCE);
        if (missing < 0) return -ENOMEM;
    }
    counts_out[1] = (uint32_t)missing;
    return 0;
}
