/* Mapped memory without a view of it.
 *
 * JavaScriptCore counts every ArrayBuffer as part of the heap of each thread that has one, whoever owns the
 * bytes, and lets garbage grow in proportion before it collects (docs/decisions/views-and-the-heap.md). What
 * is large and touched in single places is therefore copied and compared by address. */
#include "shim.h"

#include <string.h>

/* Copy `bytes` from `from` to `to`; they must not overlap. */
SHIM_EXPORT void shim_memory_copy(void *to, const void *from, uint64_t bytes) { memcpy(to, from, bytes); }

/* 1 where both ranges hold the same bytes, else 0. */
SHIM_EXPORT int32_t shim_memory_equal(const void *a, const void *b, uint64_t bytes) { return memcmp(a, b, bytes) == 0; }
