/* The protocol of the bindings (src/layout/binding.ts): spreading reads them while their one writer changes them.
 *
 * The writer here does what src/engine/mind/binding-writer.ts does, store for store: adds, takes out by moving
 * the last entry, strengthens in place, lets extents grow, and hands old ones out again once every reader has
 * left the epoch in which it could hold them. A strength tells which binding it belongs to, so a reader that
 * sees an extent that is somebody else's by now is found out; so is one that meets a binding twice, or misses the
 * one that each owner always has. Under ThreadSanitizer no two accesses may race. Prints "ok" and ends with 0. */
#include "layout.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNERS 3u  /* few, so that a reader is likely to be where the writer is */
#define NODES 100u
#define READERS 3
#define STEPS 400000
#define ROOM 4096u
#define KEPT OWNERS /* every owner is bound to this node, but for the moment when it is emptied */
#define CHUNK_UNITS (LAYOUT_BINDING_CHUNK_BYTES / LAYOUT_BINDING_UNIT_BYTES)
#define CLASSES 8
#define LEFT_MAX 65536

struct spread_parameters {
    double decay, threshold, cycle_penalty, time_ms_max, now_seconds;
    double kind_weights[8];
    double fading[32];
};
uint64_t shim_spread_scratch_bytes(uint32_t);
uint32_t shim_spread(const uint64_t *, uint32_t, const uint64_t *, uint32_t, const uint32_t *, const double *, uint32_t,
                     const struct spread_parameters *, uint32_t, uint32_t, uint8_t *, uint32_t, uint32_t *, double *,
                     uint32_t *, uint8_t *, float *, uint32_t *);

static struct layout_node_header *headers;
static uint8_t *chunk;
static uint64_t header_table[1], extent_table[1];
static uint32_t next_unit = 1; /* unit 0 says "none" */

/* 0: outside; else the epoch that the reader entered */
static uint64_t epoch = 1, reader_epoch[READERS];
static int is_done;

struct left {
    uint32_t unit, size_class;
    uint64_t epoch;
};
static struct left left[LEFT_MAX];
static uint32_t left_count, free_units[CLASSES][LEFT_MAX], free_count[CLASSES];

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static uint32_t draw(uint64_t *state, uint32_t end) {
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33) % end;
}

/* Tells the binding and which of its states this is: owner, target, and a quarter that strengthening changes. */
static float strength_of(uint32_t owner, uint32_t target, uint32_t quarter) {
    return (float)(1 + (owner * NODES + target) * 4 + quarter) / 65536.0f;
}

static struct layout_binding_extent *extent_at(uint32_t unit) {
    return (struct layout_binding_extent *)(chunk + (uint64_t)unit * LAYOUT_BINDING_UNIT_BYTES);
}
static struct layout_binding *entries_of(uint32_t unit) { return (struct layout_binding *)(extent_at(unit) + 1); }

static void store_entry(struct layout_binding *at, const struct layout_binding *value) {
    uint64_t words[2];
    memcpy(words, value, sizeof words);
    __atomic_store_n((uint64_t *)at, words[0], __ATOMIC_RELAXED);
    __atomic_store_n((uint64_t *)at + 1, words[1], __ATOMIC_RELAXED);
}

static uint32_t class_of(uint32_t unit) {
    uint32_t size_class = 0;
    for (uint32_t capacity = extent_at(unit)->capacity; capacity > 3; capacity = (capacity - 1) / 2) size_class++;
    return size_class;
}

static void leave(uint32_t unit) {
    if (left_count == LEFT_MAX) fail("too many extents wait");
    left[left_count++] = (struct left){unit, class_of(unit), 0};
}

static void collect(void) {
    const uint64_t now = __atomic_fetch_add(&epoch, 1, __ATOMIC_SEQ_CST);
    uint64_t oldest = now + 1;
    for (int i = 0; i < READERS; i++) {
        const uint64_t entered = __atomic_load_n(&reader_epoch[i], __ATOMIC_SEQ_CST);
        if (entered != 0 && entered < oldest) oldest = entered;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < left_count; i++) {
        if (left[i].epoch == 0) left[i].epoch = now;
        if (left[i].epoch < oldest) free_units[left[i].size_class][free_count[left[i].size_class]++] = left[i].unit;
        else left[kept++] = left[i];
    }
    left_count = kept;
}

static uint32_t allocate(uint32_t size_class) {
    if (size_class >= CLASSES) fail("an extent grew beyond the test");
    if (free_count[size_class] > 0) return free_units[size_class][--free_count[size_class]];
    const uint32_t unit = next_unit;
    next_unit += 1u << size_class;
    if (next_unit > CHUNK_UNITS) fail("the chunk is full");
    return unit;
}

static void publish(uint32_t slot, uint32_t unit) {
    __atomic_store_n(&headers[slot].bindings_at, unit, __ATOMIC_SEQ_CST);
}

static void add(uint32_t slot, uint32_t target, uint32_t quarter) {
    const uint32_t before = headers[slot].bindings_at;
    const uint32_t count = before == 0 ? 0 : extent_at(before)->count;
    uint32_t unit = before;
    if (before == 0 || count == extent_at(before)->capacity) {
        const uint32_t size_class = before == 0 ? 0 : class_of(before) + 1;
        unit = allocate(size_class);
        struct layout_binding_extent *head = extent_at(unit);
        head->owner = slot;
        head->capacity = (LAYOUT_BINDING_UNIT_BYTES << size_class) / sizeof(struct layout_binding) - 1;
        __atomic_store_n(&head->version, (head->version + 2) & ~1u, __ATOMIC_RELAXED);
        for (uint32_t i = 0; i < count; i++) store_entry(&entries_of(unit)[i], &entries_of(before)[i]);
        __atomic_store_n(&head->count, count, __ATOMIC_RELEASE);
    }
    const struct layout_binding entry = {.target = target, .strength = strength_of(slot, target, quarter)};
    store_entry(&entries_of(unit)[count], &entry);
    __atomic_store_n(&extent_at(unit)->count, count + 1, __ATOMIC_SEQ_CST);
    if (unit == before) return;
    publish(slot, unit);
    if (before != 0) leave(before);
}

static void take_out(uint32_t slot, uint32_t index) {
    const uint32_t unit = headers[slot].bindings_at;
    struct layout_binding_extent *head = extent_at(unit);
    const uint32_t last = head->count - 1;
    if (last == 0) {
        publish(slot, 0);
        leave(unit);
        return;
    }
    const uint32_t version = head->version;
    __atomic_store_n(&head->version, version + 1, __ATOMIC_SEQ_CST);
    store_entry(&entries_of(unit)[index], &entries_of(unit)[last]);
    __atomic_store_n(&head->count, last, __ATOMIC_SEQ_CST);
    __atomic_store_n(&head->version, version + 2, __ATOMIC_SEQ_CST);
}

static void strengthen(uint32_t slot, uint32_t index, uint32_t quarter) {
    struct layout_binding *entry = &entries_of(headers[slot].bindings_at)[index];
    uint32_t bits;
    const float strength = strength_of(slot, entry->target, quarter);
    memcpy(&bits, &strength, sizeof bits);
    __atomic_store_n((uint32_t *)&entry->strength, bits, __ATOMIC_RELAXED);
}

static void empty(uint32_t slot) {
    const uint32_t unit = headers[slot].bindings_at;
    publish(slot, 0);
    if (unit != 0) leave(unit);
    add(slot, KEPT, 0);
}

static void *write_bindings(void *argument) {
    uint64_t random = 20261125;
    (void)argument;
    for (int step = 0; step < STEPS; step++) {
        const uint32_t slot = draw(&random, OWNERS), quarter = draw(&random, 4);
        const uint32_t target = OWNERS + draw(&random, NODES - OWNERS);
        const uint32_t unit = headers[slot].bindings_at;
        const uint32_t count = unit == 0 ? 0 : extent_at(unit)->count;
        uint32_t index = 0;
        while (index < count && entries_of(unit)[index].target != target) index++;
        if (index == count) add(slot, target, quarter);
        else if (draw(&random, 4) != 0 && target != KEPT) take_out(slot, index);
        else strengthen(slot, index, quarter);
        /* Now and then an owner loses all it has but one, so that extents are left and grow again. */
        if (step % 512 == 0) empty(slot);
        if (step % 16 == 0) collect();
    }
    __atomic_store_n(&is_done, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void *read_bindings(void *argument) {
    uint64_t *entered = argument;
    uint64_t random = (uint64_t)(entered - reader_epoch) + 7;
    const struct spread_parameters parameters = {1, 0, 1, 1e9, 0, {1, 1, 1, 1, 1, 1, 1, 1}, {1}};
    uint8_t *scratch = calloc(1, shim_spread_scratch_bytes(ROOM));
    uint32_t slots[ROOM], via[ROOM], outcome[4];
    static _Thread_local double received[ROOM];
    uint8_t kinds[ROOM];
    float strengths[ROOM];
    while (!__atomic_load_n(&is_done, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(entered, __atomic_load_n(&epoch, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
        const uint32_t seed = draw(&random, OWNERS);
        const double activation = 1;
        const uint32_t found = shim_spread(header_table, 16, extent_table, NODES, &seed, &activation, 1, &parameters, 1,
                                           ROOM - 1, scratch, ROOM, slots, received, via, kinds, strengths, outcome);
        __atomic_store_n(entered, 0, __ATOMIC_SEQ_CST);
        int has_kept = found == 1;
        if (outcome[1] != found - 1) fail("a binding was met twice");
        for (uint32_t i = 1; i < found; i++) {
            int is_known = 0;
            has_kept |= slots[i] == KEPT;
            for (uint32_t quarter = 0; quarter < 4; quarter++)
                is_known |= strengths[i] == strength_of(seed, slots[i], quarter);
            if (!is_known) fail("a strength that belongs to another binding");
        }
        if (!has_kept) fail("a binding that was there all the time was missed");
    }
    free(scratch);
    return NULL;
}

int main(void) {
    headers = calloc(NODES, sizeof *headers);
    chunk = aligned_alloc(LAYOUT_BINDING_UNIT_BYTES, LAYOUT_BINDING_CHUNK_BYTES);
    if (headers == NULL || chunk == NULL) fail("no memory");
    memset(chunk, 0, LAYOUT_BINDING_CHUNK_BYTES);
    header_table[0] = (uint64_t)headers;
    extent_table[0] = (uint64_t)chunk;
    for (uint32_t slot = 0; slot < OWNERS; slot++) add(slot, KEPT, 0);
    pthread_t threads[READERS + 1];
    for (int i = 0; i < READERS; i++)
        if (pthread_create(&threads[i], NULL, read_bindings, &reader_epoch[i]) != 0) fail("no thread");
    if (pthread_create(&threads[READERS], NULL, write_bindings, NULL) != 0) fail("no thread");
    for (int i = 0; i <= READERS; i++) pthread_join(threads[i], NULL);
    free(headers), free(chunk);
    puts("ok");
    return 0;
}
