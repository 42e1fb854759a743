/* Loading a checkpoint: many ranges of many files read into memory and checked, on several threads.
 *
 * JavaScript waits in one call, so that a start needs no workers of its own for it. Threads take the next
 * range from a shared counter; the first damaged one by its index is reported, whichever thread met it. */
#include "shim.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX 64

int64_t shim_file_pread_all(int32_t fd, uint8_t *address, uint64_t bytes, uint64_t offset);
uint32_t shim_crc32c(uint32_t crc, const uint8_t *data, uint64_t bytes);

/* One range, 40 bytes; src/ffi/files.ts writes it. */
struct load_range {
    int32_t fd;          /* open for reading */
    uint32_t crc32c;     /* what the bytes must sum to, from seed 0 */
    uint64_t offset;     /* in the file */
    uint64_t address;    /* where to, writable */
    uint64_t bytes;
    int32_t answer;      /* out: 0, -EBADMSG wrong checksum, -ENODATA file too short, other -errno */
    uint32_t crc_found;  /* out: what they did sum to */
};

struct load {
    struct load_range *ranges;
    uint64_t range_count;
    atomic_uint_fast64_t next;
};

static void *load_some(void *argument) {
    struct load *load = argument;
    for (;;) {
        const uint64_t index = atomic_fetch_add_explicit(&load->next, 1, memory_order_relaxed);
        if (index >= load->range_count) return NULL;
        struct load_range *range = &load->ranges[index];
        uint8_t *address = (uint8_t *)(uintptr_t)range->address;
        const int64_t got = shim_file_pread_all(range->fd, address, range->bytes, range->offset);
        if (got < 0) {
            range->answer = (int32_t)got;
        } else if ((uint64_t)got < range->bytes) {
            range->answer = -ENODATA;
        } else {
            range->crc_found = shim_crc32c(0, address, range->bytes);
            range->answer = range->crc_found == range->crc32c ? 0 : -EBADMSG;
        }
    }
}

/* Read and check all ranges on `thread_count` threads (1 to 64; the caller's own is one of them).
 *
 *   range_count  may be 0
 *
 * Returns the number of ranges that failed; each range's `answer` says how. Memory of a failed range holds
 * whatever was read. -EINVAL for a thread count outside the rule. When threads can not be started the ones
 * there are do all the work. */
SHIM_EXPORT int64_t shim_load_ranges(struct load_range *ranges, uint64_t range_count, uint32_t thread_count) {
    if (thread_count == 0 || thread_count > THREADS_MAX) return -EINVAL;
    struct load load = {.ranges = ranges, .range_count = range_count};
    atomic_init(&load.next, 0);

    pthread_t threads[THREADS_MAX];
    uint32_t started = 0;
    while (started + 1 < thread_count && started + 1 < range_count) {
        if (pthread_create(&threads[started], NULL, load_some, &load) != 0) break;
        started++;
    }
    load_some(&load);
    for (uint32_t i = 0; i < started; i++) pthread_join(threads[i], NULL);

    int64_t failed = 0;
    for (uint64_t i = 0; i < range_count; i++) failed += ranges[i].answer != 0;
    return failed;
}
