/* Growing ranges that never move: see vector-memory.h. */
#include "vector-memory.h"
#include "shim.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr uint64_t FIRST_STEP_BYTES = SHIM_HUGE_PAGE_BYTES;
constexpr uint64_t STEP_BYTES = 4 * SHIM_HUGE_PAGE_BYTES;
constexpr int POLICY_PREFERRED = 1;
constexpr int POLICY_INTERLEAVE = 3;
constexpr int32_t NODES_MAX = 64;

uint64_t round_up(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

void bind(uint8_t *base, uint64_t bytes, vector_place place) {
    /* Preferred, not bound: a full node then costs speed, where MPOL_BIND would cost the process. */
    int mode = POLICY_PREFERRED;
    unsigned long mask = 0;
    if (place.interleave_mask != 0) {
        mode = POLICY_INTERLEAVE;
        mask = place.interleave_mask;
    } else if (place.node >= 0 && place.node < NODES_MAX) {
        mask = 1ul << place.node;
    } else {
        return;
    }
    /* The kernel takes "bits in the mask + 1". */
    (void)syscall(SYS_mbind, base, bytes, mode, &mask, NODES_MAX + 1ul, 0u);
}

} // namespace

int32_t vector_range_reserve(struct vector_range *range, uint64_t bytes, struct vector_place place) {
    /* One huge page more, so that the base can be moved to a huge page's boundary. */
    const uint64_t reserved = round_up(bytes, SHIM_HUGE_PAGE_BYTES) + SHIM_HUGE_PAGE_BYTES;
    void *mapped = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return -errno;
    uint8_t *start = (uint8_t *)mapped;
    uint8_t *base = (uint8_t *)round_up((uint64_t)start, SHIM_HUGE_PAGE_BYTES);
    const uint64_t before = (uint64_t)(base - start);
    const uint64_t kept = reserved - SHIM_HUGE_PAGE_BYTES;
    if (before > 0) munmap(start, before);
    if (before < SHIM_HUGE_PAGE_BYTES) munmap(base + kept, SHIM_HUGE_PAGE_BYTES - before);
    bind(base, kept, place);
    range->base = base;
    range->reserved_bytes = kept;
    range->usable_bytes = 0;
    return 0;
}

int32_t vector_range_grow(struct vector_range *range, uint64_t bytes) {
    if (bytes <= range->usable_bytes) return 0;
    if (bytes > range->reserved_bytes) return -ENOSPC;
    uint64_t target = bytes <= FIRST_STEP_BYTES ? FIRST_STEP_BYTES : round_up(bytes, STEP_BYTES);
    if (target > range->reserved_bytes) target = range->reserved_bytes;
    uint8_t *from = range->base + range->usable_bytes;
    const uint64_t added = target - range->usable_bytes;
    if (mprotect(from, added, PROT_READ | PROT_WRITE) != 0) return -errno;
    /* Said out loud: where the kernel's setting is "always", the first byte would bring in 2 MiB. */
    if (range->usable_bytes == 0) (void)madvise(from, added < FIRST_STEP_BYTES ? added : FIRST_STEP_BYTES, MADV_NOHUGEPAGE);
    if (range->usable_bytes >= FIRST_STEP_BYTES) (void)madvise(from, added, MADV_HUGEPAGE);
    else if (target > FIRST_STEP_BYTES)
        (void)madvise(range->base + FIRST_STEP_BYTES, target - FIRST_STEP_BYTES, MADV_HUGEPAGE);
    range->usable_bytes = target;
    return 0;
}

void vector_range_free(struct vector_range *range) {
    if (range->base != nullptr) munmap(range->base, range->reserved_bytes);
    range->base = nullptr;
    range->reserved_bytes = 0;
    range->usable_bytes = 0;
}
