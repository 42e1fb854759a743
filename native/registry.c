/* Every region of the process, with its purpose and what was asked and granted: what health and doctor show.
 *
 * Regions are mapped by writers, indexers and others, and asked for by API workers. A table inside the library
 * is the one place that all threads of the process share without being handed it; it is the shim's only state
 * beside the clock's rate. It is touched when a region is mapped or given back, and when somebody looks, never
 * on a hot path, so one lock will do. */
#include "shim.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PURPOSE_BYTES 192

/* 256 bytes; src/shm/region-registry.ts reads it. */
struct registry_entry {
    uint64_t address;
    uint64_t bytes;
    uint64_t interleave_mask;   /* asked for */
    int32_t node;               /* asked for; -1 for none */
    int32_t huge;               /* asked for: 0 off, 1 try, 2 require */
    int32_t kind;               /* granted: 0 base, 1 transparent, 2 reserved */
    int32_t reserved_errno;     /* as in struct pages_grant */
    int32_t bind_errno;
    int32_t transparent_errno;
    int32_t lock;               /* asked for */
    int32_t lock_errno;
    int32_t thread_id;          /* that mapped it */
    int32_t unused;
    char purpose[PURPOSE_BYTES]; /* UTF-8, ended by NUL */
};
_Static_assert(sizeof(struct registry_entry) == 256, "the registry's entry is what JavaScript reads");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct registry_entry *entries;
static uint64_t entry_count, entry_capacity;

/* Enter a region. Returns 0 or -ENOMEM. */
SHIM_EXPORT int32_t shim_registry_add(const struct registry_entry *entry) {
    int32_t answer = 0;
    pthread_mutex_lock(&lock);
    if (entry_count == entry_capacity) {
        const uint64_t capacity = entry_capacity == 0 ? 64 : 2 * entry_capacity;
        struct registry_entry *grown = realloc(entries, capacity * sizeof *grown);
        if (grown == NULL) answer = -ENOMEM;
        else entries = grown, entry_capacity = capacity;
    }
    if (answer == 0) {
        entries[entry_count] = *entry;
        entries[entry_count].purpose[PURPOSE_BYTES - 1] = '\0';
        entry_count++;
    }
    pthread_mutex_unlock(&lock);
    return answer;
}

/* Take a region out. Returns 0, or -ENOENT when no region begins there. */
SHIM_EXPORT int32_t shim_registry_remove(uint64_t address) {
    int32_t answer = -ENOENT;
    pthread_mutex_lock(&lock);
    for (uint64_t i = entry_count; i-- > 0;) {
        if (entries[i].address != address) continue;
        entries[i] = entries[--entry_count];
        answer = 0;
        break;
    }
    pthread_mutex_unlock(&lock);
    return answer;
}

/* Copy up to `capacity` entries. Returns how many there are, which may be more. */
SHIM_EXPORT int64_t shim_registry_list(struct registry_entry *entries_out, uint64_t capacity) {
    pthread_mutex_lock(&lock);
    const uint64_t count = entry_count;
    if (entries_out != NULL && count > 0)
        memcpy(entries_out, entries, (count < capacity ? count : capacity) * sizeof *entries_out);
    pthread_mutex_unlock(&lock);
    return (int64_t)count;
}
