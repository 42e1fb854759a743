/* Spreading activation over a space's bindings: the same as src/cognition/spreading.ts, which says what it does
 * and why, and equal to it bit by bit: both add up doubles in one order (no fused multiply-add).
 *
 * Read beside a writer that changes bindings: no lock, and nothing here waits long. The writer fills an entry in
 * and then counts it; it takes one out with the extent's version odd. An extent is copied out and the copy thrown
 * away where the version was odd or has changed meanwhile; a node whose extent will not hold still is passed over
 * once, which costs its share and no more. An extent that was replaced stays readable until the epoch is left. */
#include "layout.h"
#include "shim.h"
#include "vector-arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma STDC FP_CONTRACT OFF
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=off")
#endif

#define NO_NODE 0xffffffffu
#define FAN_READ_MAX 1024u
#define FIRED_BETWEEN_LOOKS 32u
/* What the time between two looks counts at most: one longer was spent waiting for a core, not walking. */
#define LOOK_MS_MAX 0.5
#define READS_MAX 256
#define AHEAD 6u
#define KINDS 8
#define AGE_OCTAVES 32

enum exhausted { EXHAUSTED_NONE, EXHAUSTED_VISITS, EXHAUSTED_TIME };

/* In step with src/ffi/spread.ts. */
struct spread_parameters {
    double decay, threshold, cycle_penalty, time_ms_max;
    double now_seconds;         /* since the epoch */
    double kind_weights[KINDS]; /* rounded to f32, as the plain version has them */
    double fading[AGE_OCTAVES]; /* by the octave of a binding's age: src/cognition/binding-decay.ts */
};

struct fire {
    double activation;
    uint32_t slot;
    uint32_t node;
};

/* Room for `room` nodes; all of it, table aside, may hold anything at the start of a call. */
struct scratch {
    double *pending, *largest;
    struct fire *fires;
    uint32_t *frontier;
    uint32_t *places; /* of the nodes in the table, for emptying it */
    uint32_t *table;  /* position + 1 by slot, open addressing; all 0 between calls */
    uint32_t table_mask;
};

struct graph {
    struct vector_arena headers;
    const uint64_t *extents;
    uint32_t node_count;
};

struct found {
    uint32_t count;
    uint32_t *slots, *via;
    double *received;
    uint8_t *via_kinds;
    float *via_strengths;
};

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static uint64_t round_up(uint64_t bytes) { return (bytes + 63) & ~63ull; }

static uint32_t table_slots(uint32_t room) {
    uint32_t slots = 64;
    while (slots < 2 * room) slots *= 2;
    return slots;
}

/* Bytes of scratch for `room` nodes; whoever allocates them zeroes them once. */
SHIM_EXPORT uint64_t shim_spread_scratch_bytes(uint32_t room) {
    return round_up((uint64_t)table_slots(room) * 4) + 2 * round_up((uint64_t)room * 8) +
           round_up((uint64_t)room * sizeof(struct fire)) + 2 * round_up((uint64_t)room * 4) + 64;
}

static void scratch_lay(struct scratch *scratch, uint8_t *at, uint32_t room) {
    const uint32_t slots = table_slots(room);
    at = (uint8_t *)round_up((uintptr_t)at);
    scratch->table = (uint32_t *)at, at += round_up((uint64_t)slots * 4);
    scratch->table_mask = slots - 1;
    scratch->pending = (double *)at, at += round_up((uint64_t)room * 8);
    scratch->largest = (double *)at, at += round_up((uint64_t)room * 8);
    scratch->fires = (struct fire *)at, at += round_up((uint64_t)room * sizeof(struct fire));
    scratch->frontier = (uint32_t *)at, at += round_up((uint64_t)room * 4);
    scratch->places = (uint32_t *)at;
}

/* The position of a slot among the nodes met; a new one at the end. */
static uint32_t meet(struct scratch *scratch, struct found *found, uint32_t slot) {
    uint32_t place = (slot * 2654435769u) >> 7 & scratch->table_mask;
    for (; scratch->table[place] != 0; place = (place + 1) & scratch->table_mask) {
        const uint32_t node = scratch->table[place] - 1;
        if (found->slots[node] == slot) return node;
    }
    const uint32_t node = found->count++;
    scratch->table[place] = node + 1;
    scratch->places[node] = place;
    scratch->pending[node] = 0;
    scratch->largest[node] = 0;
    found->slots[node] = slot;
    found->via[node] = NO_NODE;
    found->received[node] = 0;
    return node;
}

static int stronger(const void *left, const void *right) {
    const struct fire *a = left, *b = right;
    if (a->activation != b->activation) return a->activation > b->activation ? -1 : 1;
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

static const uint8_t *extent_at(const struct graph *graph, uint32_t unit) {
    const uint64_t at = (uint64_t)unit * LAYOUT_BINDING_UNIT_BYTES;
    const uint64_t chunk = __atomic_load_n(&graph->extents[at / LAYOUT_BINDING_CHUNK_BYTES], __ATOMIC_RELAXED);
    return chunk == 0 ? NULL : (const uint8_t *)chunk + at % LAYOUT_BINDING_CHUNK_BYTES;
}

static uint32_t unit_of(const struct graph *graph, uint32_t slot) {
    return __atomic_load_n(&vector_header(&graph->headers, slot)->bindings_at, __ATOMIC_ACQUIRE);
}

/* Copies a node's bindings out, those to nodes newer than the count left out.
 * Returns its fan-out; entries_out holds FAN_READ_MAX at most, and *kept_out of them. */
static uint32_t read_bindings(const struct graph *graph, uint32_t slot, struct layout_binding *entries_out,
                              uint32_t *kept_out) {
    for (int attempt = 0; attempt < READS_MAX; attempt++) {
        const uint32_t unit = unit_of(graph, slot);
        const uint8_t *extent = unit == 0 ? NULL : extent_at(graph, unit);
        if (extent == NULL) return 0;
        const struct layout_binding_extent *head = (const struct layout_binding_extent *)extent;
        const uint32_t version = __atomic_load_n(&head->version, __ATOMIC_ACQUIRE);
        if (version & 1) continue;
        const uint32_t count = __atomic_load_n(&head->count, __ATOMIC_ACQUIRE);
        const uint32_t read = count < FAN_READ_MAX ? count : FAN_READ_MAX;
        const uint64_t *words = (const uint64_t *)(extent + sizeof *head);
        uint32_t kept = 0;
        for (uint32_t i = 0; i < read; i++) {
            const uint64_t entry[2] = {__atomic_load_n(&words[2 * i], __ATOMIC_RELAXED),
                                       __atomic_load_n(&words[2 * i + 1], __ATOMIC_RELAXED)};
            memcpy(&entries_out[kept], entry, sizeof entry);
            kept += entries_out[kept].target < graph->node_count;
        }
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&head->version, __ATOMIC_RELAXED) != version) continue;
        *kept_out = kept;
        return kept + (count - read);
    }
    return 0;
}

/* How strong a binding is now; what was made on purpose does not fade. */
static float strength_now(const struct layout_binding *entry, const struct spread_parameters *parameters) {
    const uint32_t now = (uint32_t)parameters->now_seconds;
    if (entry->kind >= LAYOUT_BINDING_KIND_LINK) return entry->strength;
    if (entry->last_used_seconds == 0 || entry->last_used_seconds >= now) return entry->strength;
    return (float)((double)entry->strength * parameters->fading[31 - __builtin_clz(now - entry->last_used_seconds)]);
}

/* Whether `target` is among the nodes that the activation `node` fires in this hop came through. */
static int lies_on_way(const uint32_t *via, uint32_t target, uint32_t node, uint32_t hop) {
    uint32_t at = node;
    for (uint32_t step = 1; step < hop; step++) {
        at = via[at];
        if (at == target) return 1;
        if (at == NO_NODE) return 0;
    }
    return 0;
}

/* Spread from seeds.
 *
 *   headers, chunk_shift   chunk table of the header arena, and log2 of its slots per chunk
 *   extents                chunk table of the binding arena
 *   node_count             nodes from here on are not seen
 *   seeds, activations     seed_count of each
 *   parameters             struct spread_parameters
 *   hops, visits_max       budgets
 *   scratch                shim_spread_scratch_bytes(room), zeroed before the first call
 *   room                   at least seed_count + visits_max, and the same in every call with this scratch
 *   slots_out … strengths_out  `room` of each: see SpreadResult
 *   outcome_out            4 numbers: seeds, bindings followed, hops, which budget ended it
 *
 * Returns how many nodes were met. */
SHIM_EXPORT uint32_t shim_spread(const uint64_t *headers, uint32_t chunk_shift, const uint64_t *extents,
                                 uint32_t node_count, const uint32_t *seeds, const double *activations,
                                 uint32_t seed_count, const struct spread_parameters *parameters, uint32_t hops,
                                 uint32_t visits_max, uint8_t *scratch_bytes, uint32_t room, uint32_t *slots_out,
                                 double *received_out, uint32_t *via_out, uint8_t *kinds_out, float *strengths_out,
                                 uint32_t *outcome_out) {
    const struct graph graph = {{headers, chunk_shift, sizeof(struct layout_node_header)}, extents, node_count};
    struct found found = {0, slots_out, via_out, received_out, kinds_out, strengths_out};
    struct scratch scratch;
    struct layout_binding entries[FAN_READ_MAX];
    double looked_at = now_ms(), spent_ms = 0;
    uint32_t visited = 0, fired = 0, hop_done = 0, frontier_count = 0;
    enum exhausted exhausted = EXHAUSTED_NONE;
    scratch_lay(&scratch, scratch_bytes, room);

    for (uint32_t i = 0; i < seed_count; i++) {
        const uint32_t node = meet(&scratch, &found, seeds[i]);
        if (scratch.pending[node] == 0) scratch.frontier[frontier_count++] = node;
        scratch.pending[node] += activations[i];
    }
    const uint32_t seeds_met = found.count;

    for (uint32_t hop = 1; hop <= hops && frontier_count > 0 && exhausted == EXHAUSTED_NONE; hop++) {
        uint32_t fire_count = 0;
        for (uint32_t i = 0; i < frontier_count; i++) {
            const uint32_t node = scratch.frontier[i];
            /* What stays below the threshold does not fire, so it need not be sorted either. */
            if (scratch.pending[node] >= parameters->threshold)
                scratch.fires[fire_count++] = (struct fire){scratch.pending[node], found.slots[node], node};
            scratch.pending[node] = 0;
        }
        qsort(scratch.fires, fire_count, sizeof *scratch.fires, stronger);
        frontier_count = 0;
        for (uint32_t f = 0; f < fire_count && exhausted == EXHAUSTED_NONE; f++) {
            if (f + 2 * AHEAD < fire_count)
                __builtin_prefetch(&vector_header(&graph.headers, scratch.fires[f + 2 * AHEAD].slot)->bindings_at);
            if (f + AHEAD < fire_count) {
                const uint32_t unit = unit_of(&graph, scratch.fires[f + AHEAD].slot);
                const uint8_t *extent = unit == 0 ? NULL : extent_at(&graph, unit);
                for (int line = 0; extent != NULL && line < 4; line++) __builtin_prefetch(extent + 64 * line);
            }
            if (fired++ % FIRED_BETWEEN_LOOKS == 0) {
                const double now = now_ms();
                spent_ms += fmin(now - looked_at, LOOK_MS_MAX);
                looked_at = now;
                if (spent_ms > parameters->time_ms_max) {
                    exhausted = EXHAUSTED_TIME;
                    break;
                }
            }
            const struct fire fire = scratch.fires[f];
            uint32_t entry_count = 0;
            const uint32_t fan_out = read_bindings(&graph, fire.slot, entries, &entry_count);
            if (fan_out == 0) continue;
            hop_done = hop;
            const double share = fire.activation * parameters->decay / sqrt(fan_out);
            for (uint32_t i = 0; i < entry_count; i++) {
                const struct layout_binding *entry = &entries[i];
                const float strength = strength_now(entry, parameters);
                double part = share * parameters->kind_weights[entry->kind % KINDS] * (double)strength;
                if (!(part > 0)) continue;
                if (visited == visits_max) {
                    exhausted = EXHAUSTED_VISITS;
                    break;
                }
                visited++;
                const uint32_t target = meet(&scratch, &found, entry->target);
                if (lies_on_way(found.via, target, fire.node, hop)) part *= parameters->cycle_penalty;
                if (!(part > 0)) continue;
                if (scratch.pending[target] == 0) scratch.frontier[frontier_count++] = target;
                scratch.pending[target] += part;
                found.received[target] += part;
                if (part > scratch.largest[target]) {
                    scratch.largest[target] = part;
                    found.via[target] = fire.node;
                    found.via_kinds[target] = entry->kind;
                    found.via_strengths[target] = strength;
                }
            }
        }
    }
    for (uint32_t node = 0; node < found.count; node++) scratch.table[scratch.places[node]] = 0;
    outcome_out[0] = seeds_met;
    outcome_out[1] = visited;
    outcome_out[2] = hop_done;
    outcome_out[3] = exhausted;
    return found.count;
}
