/* Recall by vector: the walk over the graph, the exact scan, and the choice between them.
 *
 * A search is one call: query quantised -> candidates from the graph (slots below the indexed count) and from
 * an exact scan of the tail (the rest) -> the best of them measured again with the exact vectors -> top k by
 * similarity descending, slot ascending.
 *
 * The walk is HNSW's (Malkov and Yashunin 2018, algorithms 2 and 5): greedy on the upper levels, then a beam
 * of the `ef` best on the base level. The beam is one array sorted by similarity, holding what passes the
 * filter and what does not: those that do not pass are waypoints, they do not count towards ef, so the beam
 * gets longer by itself where the filter lets little through.
 *
 * Plan. Scanning costs every header a look and every match a distance; the walk costs distances only, some
 * `ef / selectivity x neighbours` of them, in random order. Selectivity is estimated from a sample of headers
 * spread over the slots. The cheaper one is taken; the walk stops when it has cost as much as scanning would,
 * and then, or when it finds fewer than k, the scan decides. So k results come back wherever k exist.
 * The constants are measured by bench/index/search.bench.ts; only their ratios matter. */
#include "vector-graph.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
static inline void cpu_relax(void) { _mm_pause(); }
#elif defined(__aarch64__)
static inline void cpu_relax(void) { __asm__ volatile("yield"); }
#else
static inline void cpu_relax(void) {}
#endif

namespace engram {
namespace {

constexpr uint32_t EF_MOST = 4096;
constexpr uint32_t BEAM_MOST = 2 * EF_MOST;
constexpr uint32_t SCAN_AHEAD = 2;
constexpr uint32_t SAMPLE = 256; /* headers looked at to estimate selectivity */
constexpr uint32_t EMPTY_LIST_RETRIES = 256;
constexpr uint32_t CONCEPTS_MOST = 16;

/* Nanoseconds at 768 bf16 dimensions; they scale with the bytes of a vector. */
constexpr double WALK_DISTANCE_NS = 100;
constexpr double SCAN_DISTANCE_NS = 62;
constexpr double SCAN_HEADER_NS = 5;
constexpr double DISTANCES_PER_EF = 18;

enum via : uint8_t { VIA_INDEX = 0, VIA_TAIL = 1, VIA_SCAN = 2 };
enum plan : uint32_t { PLAN_AUTO = 0, PLAN_WALK = 1, PLAN_SCAN = 2, PLAN_WALK_THEN_SCAN = 3 };

struct beam_entry {
    float similarity;
    uint32_t node; /* with the flags below */
};
constexpr uint32_t EXPANDED = 1u << 31;
constexpr uint32_t PASSES = 1u << 30;
constexpr uint32_t NODE_MASK = PASSES - 1;

struct candidate {
    float similarity;
    uint32_t slot;
    uint8_t via;
};

inline bool better(const candidate &a, const candidate &b) {
    return a.similarity > b.similarity || (a.similarity == b.similarity && a.slot < b.slot);
}

/* The best `limit` candidates seen: a heap with the worst at the root. */
struct selection {
    candidate *entries;
    uint32_t size, limit;

    void offer(const candidate &c) {
        if (size < limit) {
            entries[size++] = c;
            std::push_heap(entries, entries + size, better);
        } else if (better(c, entries[0])) {
            std::pop_heap(entries, entries + size, better);
            entries[size - 1] = c;
            std::push_heap(entries, entries + size, better);
        }
    }
    bool would_take(float similarity) const { return size < limit || similarity >= entries[0].similarity; }
};

constexpr uint64_t SEARCHER_MAGIC = 0x4843524145535645ull;

} // namespace

/* The memory one thread searches with, whatever the graph. */
struct vector_searcher {
    uint64_t magic = SEARCHER_MAGIC;
    uint64_t *visited{}; /* a bit per node, all zero between searches */
    uint64_t visited_words{};
    uint32_t *trail{}; /* nodes whose bit is set */
    uint64_t trail_capacity{};
    uint32_t trail_size{};
    beam_entry *beam{};
    candidate *selected{};
    uint8_t *query{}; /* quantised */
    uint64_t query_capacity{};
};

/* What is asked and answered; src/ffi/vector.ts knows the words by index. */
struct search_request {
    uint32_t k, ef, node_count, indexed_count;
    uint32_t rerank, plan, first_slot, concepts;
    uint32_t visited, distances, scanned, reranked;
    uint32_t plan_used, matched, selectivity_ppm, beam_longest;
};
static_assert(sizeof(search_request) == 64, "src/ffi/vector.ts writes and reads these words");

namespace {

vector_searcher *searcher_from(uint64_t address) {
    vector_searcher *searcher = reinterpret_cast<vector_searcher *>(address);
    return searcher != nullptr && searcher->magic == SEARCHER_MAGIC ? searcher : nullptr;
}

/* One search under way. */
struct search {
    const vector_graph &graph;
    vector_searcher &with;
    search_request &request;
    const vector_filter *filter;
    const float *exact_query;
    const uint8_t *query;
    uint32_t indexed_count;
    /* of the graph when the search began; nodes from `count` on are not seen */
    uint64_t entry;
    uint32_t count;
    /* concepts met beside what is looked for; its limit is 0 where none are wanted */
    selection concepts;

    bool passes(const layout_node_header *header) const {
        if (filter == nullptr) return vector_is_memory(header);
        return vector_is_live(header) && vector_filter_passes(filter, &graph.config.content, header);
    }
    float measure(const uint8_t *vector) {
        request.distances++;
        return graph.dot(query, vector, graph.config.dims);
    }
};

/* Copies a list of neighbours as it is right now; empty ones are read again for a moment (vector-graph.h). */
uint32_t read_list(const uint32_t *list, uint32_t most, uint32_t *out) {
    uint32_t count = __atomic_load_n(list, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; count == 0 && i < EMPTY_LIST_RETRIES; i++) {
        cpu_relax();
        count = __atomic_load_n(list, __ATOMIC_ACQUIRE);
    }
    if (count > most) count = most;
    for (uint32_t i = 0; i < count; i++) out[i] = __atomic_load_n(list + 1 + i, __ATOMIC_RELAXED);
    return count;
}

/* Algorithm 2 with ef = 1 on every level above the base. */
uint32_t descend(search &s, uint32_t node, uint32_t level, uint32_t count, float *similarity_out) {
    const vector_graph &graph = s.graph;
    uint32_t neighbours[LINKS_MOST];
    float best = s.measure(graph.vector_of(node));
    for (; level > 0; level--) {
        for (bool moved = true; moved;) {
            moved = false;
            const node_entry &entry = graph.node_at(node);
            if (graph.level_of(entry) < level) break;
            const uint32_t found = read_list(graph.list_at(entry, level), graph.config.connectivity, neighbours);
            for (uint32_t i = 0; i < found; i++)
                if (neighbours[i] < count) prefetch_vector(graph.vector_of(neighbours[i]), graph.vector_bytes);
            for (uint32_t i = 0; i < found; i++) {
                if (neighbours[i] >= count) continue;
                const float similarity = s.measure(graph.vector_of(neighbours[i]));
                if (similarity > best) {
                    best = similarity;
                    node = neighbours[i];
                    moved = true;
                }
            }
            s.request.visited++;
        }
    }
    *similarity_out = best;
    return node;
}

/* The sorted beam of the base level. Invariant: once `passing` reaches ef, the last entry passes. */
struct beam {
    beam_entry *entries;
    uint32_t size, passing, ef, cursor; /* cursor: no entry before it is unexpanded */

    bool wants(float similarity) const {
        return passing < ef || similarity > entries[size - 1].similarity;
    }
    /* False when there is no room left. */
    bool insert(float similarity, uint32_t node, bool passes) {
        if (size == BEAM_MOST) return false;
        uint32_t low = 0, high = size;
        while (low < high) {
            const uint32_t middle = (low + high) / 2;
            if (entries[middle].similarity >= similarity) low = middle + 1;
            else high = middle;
        }
        memmove(entries + low + 1, entries + low, (size - low) * sizeof(beam_entry));
        entries[low] = beam_entry{similarity, node | (passes ? PASSES : 0)};
        size++;
        passing += passes;
        if (passing > ef) {
            size--;
            passing--;
        }
        if (passing == ef)
            while (!(entries[size - 1].node & PASSES)) size--;
        if (low < cursor) cursor = low;
        return true;
    }
};

bool slot_passes(const search &s, uint32_t slot) {
    return slot < s.indexed_count && s.passes(vector_header(&s.graph.config.headers, slot));
}

/* Whether any slot of the node passes. */
bool node_passes(const search &s, uint32_t node) {
    if (slot_passes(s, s.graph.slot_of(node))) return true;
    for (const twin_entry *twin = s.graph.twins_of(node); twin != nullptr; twin = s.graph.twin_after(twin))
        if (slot_passes(s, twin->slot)) return true;
    return false;
}

/* Offers what passes of the beam, best first, up to as many as can be chosen. Returns how many it offered. */
uint32_t offer_beam(const search &s, const beam &b, selection &best) {
    uint32_t offered = 0;
    for (uint32_t i = 0; i < b.size && offered < best.limit; i++) {
        if (!(b.entries[i].node & PASSES)) continue;
        const uint32_t node = b.entries[i].node & NODE_MASK;
        auto offer = [&](uint32_t slot) {
            if (!slot_passes(s, slot)) return;
            best.offer(candidate{b.entries[i].similarity, slot, VIA_INDEX});
            offered++;
        };
        offer(s.graph.slot_of(node));
        for (const twin_entry *twin = s.graph.twins_of(node); twin != nullptr && offered < best.limit;
             twin = s.graph.twin_after(twin))
            offer(twin->slot);
    }
    return offered;
}

/* Collects the concepts of the beam: they do not pass without a filter, so they are its waypoints, or share a node
 * with a memory. Their headers were looked at when they came in. */
void collect_concepts(search &s, const beam &b) {
    for (uint32_t i = 0; i < b.size; i++) {
        const uint32_t node = b.entries[i].node & NODE_MASK;
        auto collect = [&](uint32_t slot) {
            if (slot < s.indexed_count && vector_is_concept(vector_header(&s.graph.config.headers, slot)))
                s.concepts.offer(candidate{b.entries[i].similarity, slot, VIA_INDEX});
        };
        collect(s.graph.slot_of(node));
        for (const twin_entry *twin = s.graph.twins_of(node); twin != nullptr; twin = s.graph.twin_after(twin))
            collect(twin->slot);
    }
}

/* Walks the graph. Returns false when it was given up: over budget, or the beam full. */
bool walk(search &s, uint32_t ef, double budget, beam &b) {
    const vector_graph &graph = s.graph;
    const uint64_t entry = s.entry;
    const uint32_t count = s.count;
    b = beam{s.with.beam, 0, 0, ef, 0};
    if (count == 0) return true;

    float similarity;
    const uint32_t start = descend(s, (uint32_t)entry, (uint32_t)(entry >> 32), count, &similarity);
    uint64_t *visited = s.with.visited;
    uint32_t *trail = s.with.trail;
    uint32_t trail_size = 0;
    visited[start >> 6] |= 1ull << (start & 63);
    trail[trail_size++] = start;
    b.insert(similarity, start, node_passes(s, start));

    uint32_t neighbours[LINKS_MOST];
    const uint8_t *vectors[LINKS_MOST];
    const uint32_t most = graph.config.connectivity * 2;
    const uint32_t bytes = graph.vector_bytes;
    const uint32_t distances_most = budget > 4e9 ? ~0u : (uint32_t)budget;
    bool whole = true;
    while (whole) {
        while (b.cursor < b.size && (b.entries[b.cursor].node & EXPANDED)) b.cursor++;
        if (b.cursor >= b.size) break;
        beam_entry &next = b.entries[b.cursor];
        const uint32_t node = next.node & NODE_MASK;
        next.node |= EXPANDED;
        s.request.visited++;

        uint32_t found = read_list(graph.base_list(graph.node_at(node)), most, neighbours);
        uint32_t fresh = 0;
        for (uint32_t i = 0; i < found; i++) {
            const uint32_t neighbour = neighbours[i];
            if (neighbour >= count) continue;
            uint64_t &word = visited[neighbour >> 6];
            const uint64_t bit = 1ull << (neighbour & 63);
            if (word & bit) continue;
            word |= bit;
            trail[trail_size++] = neighbour;
            neighbours[fresh] = neighbour;
            vectors[fresh++] = graph.vector_of(neighbour);
        }
        for (uint32_t i = 0; i < fresh && i < PREFETCH_AHEAD; i++) prefetch_vector(vectors[i], bytes);
        for (uint32_t i = 0; i < fresh; i++) {
            if (i + PREFETCH_AHEAD < fresh) prefetch_vector(vectors[i + PREFETCH_AHEAD], bytes);
            const float measured = s.measure(vectors[i]);
            if (!b.wants(measured)) continue;
            const node_entry &entered = graph.node_at(neighbours[i]);
            const uint8_t *links = (const uint8_t *)graph.base_list(entered);
            __builtin_prefetch(links);
            __builtin_prefetch(links + 64);
            if (!b.insert(measured, neighbours[i], node_passes(s, neighbours[i]))) {
                whole = false;
                break;
            }
        }
        if (b.size > s.request.beam_longest) s.request.beam_longest = b.size;
        if (s.request.distances > distances_most) whole = false;
    }
    for (uint32_t i = 0; i < trail_size; i++) visited[trail[i] >> 6] = 0;
    return whole;
}

/* Offers every slot of [from, end) that passes. */
void scan(search &s, uint32_t from, uint32_t end, uint8_t via, selection &best) {
    const vector_graph &graph = s.graph;
    const vector_arena &headers = graph.config.headers;
    constexpr uint32_t BATCH = 256;
    uint32_t slots[BATCH];
    for (uint32_t at = from; at < end;) {
        const uint32_t stop = end - at > BATCH ? at + BATCH : end;
        uint32_t found = 0;
        for (; at < stop; at++) {
            const layout_node_header *header = vector_header(&headers, at);
            if (s.concepts.limit > 0 && vector_has_vector(header) && vector_is_concept(header))
                s.concepts.offer(
                    candidate{s.measure(vector_arena_at(&graph.config.quantised, at)), at, via});
            slots[found] = at;
            found += vector_has_vector(header) && s.passes(header);
        }
        for (uint32_t i = 0; i < found && i < SCAN_AHEAD; i++)
            prefetch_vector(vector_arena_at(&graph.config.quantised, slots[i]), graph.vector_bytes);
        for (uint32_t i = 0; i < found; i++) {
            if (i + SCAN_AHEAD < found)
                prefetch_vector(vector_arena_at(&graph.config.quantised, slots[i + SCAN_AHEAD]), graph.vector_bytes);
            const float similarity = s.measure(vector_arena_at(&graph.config.quantised, slots[i]));
            if (best.would_take(similarity)) best.offer(candidate{similarity, slots[i], via});
        }
        s.request.matched += found;
    }
    if (end > from) s.request.scanned += end - from;
}

/* The share of slots below `end` that pass, from a sample with one slot in each of SAMPLE equal parts. */
double selectivity(const search &s, uint32_t end) {
    const vector_arena &headers = s.graph.config.headers;
    if (end == 0) return 1;
    const uint32_t looks = std::min(SAMPLE, end);
    uint32_t passing = 0;
    uint32_t scatter = 0x9E3779B9u;
    uint32_t slots[SAMPLE];
    for (uint32_t i = 0; i < looks; i++) {
        const uint64_t low = (uint64_t)end * i / looks, high = (uint64_t)end * (i + 1) / looks;
        scatter = scatter * 1664525u + 1013904223u;
        slots[i] = (uint32_t)(low + ((scatter >> 8) % (high - low)));
        const layout_node_header *header = vector_header(&headers, slots[i]);
        __builtin_prefetch(header);
        __builtin_prefetch(&header->state);
    }
    for (uint32_t i = 0; i < looks; i++) passing += s.passes(vector_header(&headers, slots[i]));
    return (passing + 0.5) / (looks + 1.0);
}

/* How many candidates are measured exactly. A bf16 or f16 product is off by some 1e-3, so only close calls
 * change places; an i8 product by some 1e-2, so the whole beam is worth it. f32 is exact already. */
uint32_t rerank_default(kernel_kind kind, uint32_t k, uint32_t ef) {
    switch (kind) {
    case KERNEL_F32: return k;
    case KERNEL_I8: return std::max(4 * k, std::max(ef, 64u));
    default: return std::max(2 * k, k + 16);
    }
}

int32_t prepare(vector_searcher &with, const vector_graph &graph, uint32_t count, const float *query) {
    if (with.visited_words * 64 < count) {
        /* Half more than needed, so that a growing graph does not ask for it at each search. */
        const uint64_t words = ((uint64_t)count + count / 2 + 4096) / 64 + 1;
        uint64_t *bits = (uint64_t *)calloc(words, sizeof(uint64_t));
        uint32_t *trail = (uint32_t *)malloc(words * 64 * sizeof(uint32_t));
        if (bits == nullptr || trail == nullptr) {
            free(bits);
            free(trail);
            return -ENOMEM;
        }
        free(with.visited);
        free(with.trail);
        with.visited = bits;
        with.visited_words = words;
        with.trail = trail;
        with.trail_capacity = words * 64;
    }
    const uint64_t bytes = (graph.vector_bytes + 63ull) / 64 * 64;
    if (with.query_capacity < bytes) {
        uint8_t *fresh = (uint8_t *)aligned_alloc(64, bytes);
        if (fresh == nullptr) return -ENOMEM;
        free(with.query);
        with.query = fresh;
        with.query_capacity = bytes;
    }
    kernel_quantise(graph.kind, query, with.query, graph.config.dims);
    return 0;
}

/* Candidates from the slots below the indexed count, by walk or scan as the essay above says. */
void search_indexed(search &s, uint32_t ef, selection &best) {
    const vector_graph &graph = s.graph;
    search_request &request = s.request;
    const uint32_t end = s.indexed_count;
    if (end == 0) return;

    const double share = s.filter == nullptr ? 1.0 : selectivity(s, end);
    const double scale = graph.vector_bytes / 1536.0;
    const double walk_ns = std::min<double>(end, DISTANCES_PER_EF * ef / share) * WALK_DISTANCE_NS * scale;
    const double scan_ns = end * (SCAN_HEADER_NS + share * SCAN_DISTANCE_NS * scale);
    request.selectivity_ppm = (uint32_t)(share * 1e6);

    const bool walks = request.plan == PLAN_WALK || (request.plan == PLAN_AUTO && walk_ns < scan_ns);
    if (walks) {
        const double budget = request.plan == PLAN_WALK ? 4.1e9 : scan_ns / (WALK_DISTANCE_NS * scale) + 256;
        beam b;
        const bool whole = walk(s, ef, budget, b);
        request.plan_used = PLAN_WALK;
        if (s.concepts.limit > 0) collect_concepts(s, b);
        const uint32_t offered = offer_beam(s, b, best);
        if (request.plan == PLAN_WALK || (whole && offered >= request.k)) return;
        best.size = 0;
        s.concepts.size = 0;
        request.plan_used = PLAN_WALK_THEN_SCAN;
    } else {
        request.plan_used = PLAN_SCAN;
    }
    scan(s, 0, end, VIA_SCAN, best);
}

/* Measures the candidates with the exact vectors, where the others are not. */
void measure_exactly(const vector_graph &graph, const float *query, candidate *entries, uint32_t count) {
    if (graph.kind == KERNEL_F32) return;
    const uint32_t bytes = 4 * graph.config.dims;
    for (uint32_t i = 0; i < count && i < 2; i++)
        prefetch_vector(vector_arena_at(&graph.config.exact, entries[i].slot), bytes);
    for (uint32_t i = 0; i < count; i++) {
        if (i + 2 < count) prefetch_vector(vector_arena_at(&graph.config.exact, entries[i + 2].slot), bytes);
        const uint8_t *vector = vector_arena_at(&graph.config.exact, entries[i].slot);
        entries[i].similarity = graph.dot_exact(query, vector, graph.config.dims);
    }
}

} // namespace
} // namespace engram

using namespace engram;

/* Makes the memory a thread searches with; it serves any graph, one search at a time. */
SHIM_EXPORT int32_t shim_vector_searcher_open(uint64_t *address_out) {
    vector_searcher *searcher = new (std::nothrow) vector_searcher();
    if (searcher == nullptr) return -ENOMEM;
    searcher->beam = (beam_entry *)malloc((BEAM_MOST + 1) * sizeof(beam_entry));
    searcher->selected = (candidate *)malloc((EF_MOST + 1) * sizeof(candidate));
    if (searcher->beam == nullptr || searcher->selected == nullptr) {
        free(searcher->beam);
        free(searcher->selected);
        delete searcher;
        return -ENOMEM;
    }
    *address_out = (uint64_t)searcher;
    return 0;
}

SHIM_EXPORT int32_t shim_vector_searcher_close(uint64_t address) {
    vector_searcher *searcher = searcher_from(address);
    if (searcher == nullptr) return -EINVAL;
    searcher->magic = 0;
    free(searcher->visited);
    free(searcher->trail);
    free(searcher->beam);
    free(searcher->selected);
    free(searcher->query);
    delete searcher;
    return 0;
}

/* Finds the k most similar memories; see the essay above.
 *
 *   query      unit-normalised, dims of the graph
 *   filter     a filter block (src/layout/filter.ts) or NULL for all live memories
 *   words      a search_request: in k (1..4096), ef, node_count, indexed_count (capped to what the graph has
 *              covered), rerank (0: by quantization), plan (0: the cheaper one), first_slot (0, or where an
 *              exact scan with plan 2 starts), concepts (0..16, 0 with a filter: how many that are met beside);
 *              out the rest, and how many concepts there are
 *   slots_out, similarities_out, via_out   k entries each, and for concepts as many more from k on, without via
 *
 * Returns the count of results, -EINVAL or -ENOMEM. Any number of threads, each with its own searcher. */
SHIM_EXPORT int32_t shim_vector_search(uint64_t graph_address, uint64_t searcher_address, const float *query,
                                       const uint8_t *filter_block, uint32_t *words, uint32_t *slots_out,
                                       float *similarities_out, uint8_t *via_out) {
    const vector_graph *graph = graph_from(graph_address);
    vector_searcher *searcher = searcher_from(searcher_address);
    if (graph == nullptr || searcher == nullptr) return -EINVAL;
    search_request &request = *(search_request *)words;
    if (request.k == 0 || request.k > EF_MOST || request.plan > PLAN_SCAN) return -EINVAL;
    if (request.concepts > (filter_block == nullptr ? CONCEPTS_MOST : 0)) return -EINVAL;
    vector_filter filter{};
    if (filter_block != nullptr && !vector_filter_read(&filter, filter_block)) return -EINVAL;

    const uint32_t covered = graph->covered.load(std::memory_order_acquire);
    const uint32_t indexed = std::min({request.indexed_count, covered, request.node_count});
    const uint64_t entry = graph->entry.load(std::memory_order_acquire);
    const uint32_t count = graph->count.load(std::memory_order_acquire);
    const int32_t status = prepare(*searcher, *graph, count, query);
    if (status != 0) return status;
    memset(&request.visited, 0, sizeof(search_request) - offsetof(search_request, visited));

    const uint32_t ef = std::min(std::max(request.ef, request.k), EF_MOST);
    const uint32_t wanted = request.rerank ? request.rerank : rerank_default(graph->kind, request.k, ef);
    const uint32_t limit = std::min(std::max(wanted, request.k), EF_MOST);
    selection best{searcher->selected, 0, limit};
    candidate concepts[CONCEPTS_MOST];
    search s{*graph, *searcher, request, filter_block ? &filter : nullptr, query,
             searcher->query, indexed, entry, count, selection{concepts, 0, request.concepts}};

    if (request.plan == PLAN_SCAN && request.first_slot > 0) {
        request.plan_used = PLAN_SCAN;
        scan(s, std::min(request.first_slot, request.node_count), request.node_count, VIA_SCAN, best);
    } else {
        search_indexed(s, ef, best);
        scan(s, indexed, request.node_count, VIA_TAIL, best);
    }

    measure_exactly(*graph, query, best.entries, best.size);
    measure_exactly(*graph, query, concepts, s.concepts.size);
    if (graph->kind != KERNEL_F32) request.reranked = best.size;
    std::sort(best.entries, best.entries + best.size, better);
    std::sort(concepts, concepts + s.concepts.size, better);
    const uint32_t results = std::min(best.size, request.k);
    for (uint32_t i = 0; i < results; i++) {
        slots_out[i] = best.entries[i].slot;
        similarities_out[i] = std::max(-1.0f, std::min(1.0f, best.entries[i].similarity));
        via_out[i] = best.entries[i].via;
    }
    request.concepts = s.concepts.size;
    for (uint32_t i = 0; i < s.concepts.size; i++) {
        slots_out[request.k + i] = concepts[i].slot;
        similarities_out[request.k + i] = std::max(-1.0f, std::min(1.0f, concepts[i].similarity));
    }
    return (int32_t)results;
}

/* Exact cosines of the query (unit length) with `count` slots; 0 for a slot without a vector. */
SHIM_EXPORT int32_t shim_vector_similarities(uint64_t address, const float *query, const uint32_t *slots,
                                             uint32_t count, float *out) {
    const vector_graph *graph = graph_from(address);
    if (graph == nullptr) return -EINVAL;
    const vector_arena &exact = graph->config.exact;
    const uint32_t bytes = 4 * graph->config.dims;
    for (uint32_t i = 0; i < count; i++) {
        if (i + 1 < count) prefetch_vector(vector_arena_at(&exact, slots[i + 1]), bytes);
        const bool has = vector_has_vector(vector_header(&graph->config.headers, slots[i]));
        const float dot = has ? graph->dot_exact(query, vector_arena_at(&exact, slots[i]), graph->config.dims) : 0;
        out[i] = std::max(-1.0f, std::min(1.0f, dot));
    }
    return 0;
}

/* Writes 1 for each slot below node_count that is live and passes the filter (NULL: is live), else 0. */
SHIM_EXPORT int32_t shim_vector_filter_slots(uint64_t address, const uint8_t *filter_block, uint32_t node_count,
                                             const uint32_t *slots, uint32_t count, uint8_t *out) {
    const vector_graph *graph = graph_from(address);
    vector_filter filter{};
    if (graph == nullptr || (filter_block != nullptr && !vector_filter_read(&filter, filter_block))) return -EINVAL;
    const vector_arena &headers = graph->config.headers;
    for (uint32_t i = 0; i < count; i++) {
        if (i + 4 < count && slots[i + 4] < node_count) {
            const uint8_t *ahead = vector_arena_at(&headers, slots[i + 4]);
            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead + 64);
        }
        out[i] = 0;
        if (slots[i] >= node_count) continue;
        const layout_node_header *header = vector_header(&headers, slots[i]);
        if (!vector_is_live(header)) continue;
        out[i] = filter_block == nullptr || vector_filter_passes(&filter, &graph->config.content, header);
    }
    return 0;
}
