/* Memory for regions: mapped, bound to a NUMA node before the first touch, on the largest pages granted.
 *
 *   | guard page | region, 2 MiB aligned when it is that large | guard page |
 *
 * The guards are never accessible: a stray write next to a region faults instead of damaging its neighbour,
 * and the kernel can not merge the region with another mapping, so what /proc says of it is its own.
 *
 * Reserved huge pages (hugetlb) are counted for the whole machine, not for a node: mapping them with a
 * binding to a node whose pool is short succeeds, and the first touch kills the process (SIGBUS). They are
 * therefore bound strictly and populated at once with MADV_POPULATE_WRITE, which answers with an error, and
 * then given back. Other pages are bound with MPOL_PREFERRED: with MPOL_BIND a full node would bring the
 * out-of-memory killer while the other node has room. Where the pages really lie is asked, not assumed. */
#include "shim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From linux/mempolicy.h; numaif.h belongs to libnuma's development package, which is not needed to build. */
#define POLICY_PREFERRED 1
#define POLICY_BIND 2
#define POLICY_INTERLEAVE 3
#define NODES_MAX 64

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif
#define MAP_2_MIB_PAGES (MAP_HUGETLB | (21 << MAP_HUGE_SHIFT))

enum { HUGE_OFF = 0, HUGE_TRY = 1, HUGE_REQUIRE = 2 };
/* Pages come as they are touched, never reserved huge ones; the reserved ones at once, others as they are
 * touched; all of them at once. */
enum { POPULATE_NONE = 0, POPULATE_RESERVED = 1, POPULATE_ALL = 2 };
enum { KIND_BASE = 0, KIND_TRANSPARENT = 1, KIND_RESERVED = 2 };

/* What is asked for, 32 bytes; src/ffi/pages.ts writes it. */
struct pages_wish {
    uint64_t bytes;           /* a multiple of the base page */
    uint64_t interleave_mask; /* one bit per node, to spread the pages over; 0 for none */
    int32_t node;             /* to bind to; -1 for none */
    int32_t huge;             /* HUGE_OFF base pages only, HUGE_TRY, HUGE_REQUIRE reserved ones or -ENOMEM */
    int32_t populate;         /* POPULATE_... */
    int32_t lock;             /* 1: never swapped out; pages still come as they are touched */
};

/* What was granted, 40 bytes. */
struct pages_grant {
    uint64_t address;
    uint64_t page_bytes;     /* of KIND_TRANSPARENT: the page asked for; how many came, /proc/self/smaps says */
    int32_t kind;            /* KIND_... */
    int32_t reserved_errno;  /* why no reserved huge pages, 0 where they came or were not asked for */
    int32_t bind_errno;      /* why the node or interleave policy was refused, else 0 */
    int32_t transparent_errno; /* why no transparent huge pages may come, else 0 */
    int32_t lock_errno;      /* why it could not be locked, else 0 */
    int32_t unused;
};

static uint64_t base_page_bytes(void) { return (uint64_t)sysconf(_SC_PAGESIZE); }

static int set_policy(void *address, uint64_t bytes, const struct pages_wish *wish, int strict) {
    int mode = strict ? POLICY_BIND : POLICY_PREFERRED;
    unsigned long mask = 0;
    if (wish->interleave_mask != 0) {
        mode = POLICY_INTERLEAVE;
        mask = wish->interleave_mask;
    } else if (wish->node >= 0) {
        mask = 1ul << wish->node;
    } else {
        return 0;
    }
    /* The kernel takes "bits in the mask + 1". */
    return syscall(SYS_mbind, address, bytes, mode, &mask, NODES_MAX + 1, 0) < 0 ? -errno : 0;
}

/* MLOCK_ONFAULT keeps a lazily touched region small; plain mlock(2) would bring every page in. */
static int lock_range(void *address, uint64_t bytes) {
    return syscall(SYS_mlock2, address, bytes, 1 /* MLOCK_ONFAULT */) < 0 ? -errno : 0;
}

static int populate(void *address, uint64_t bytes) {
    int answer;
    do answer = madvise(address, bytes, MADV_POPULATE_WRITE);
    while (answer < 0 && (errno == EINTR || errno == EAGAIN));
    return answer < 0 ? -errno : 0;
}

/* An inaccessible range with `bytes` aligned to `alignment` in the middle and a base page on either side. */
static uint8_t *reserve_range(uint64_t bytes, uint64_t alignment, uint64_t guard_bytes) {
    const uint64_t total = bytes + alignment + 2 * guard_bytes;
    uint8_t *start = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return NULL;
    const uintptr_t inner = ((uintptr_t)start + guard_bytes + alignment - 1) / alignment * alignment;
    uint8_t *first = (uint8_t *)(inner - guard_bytes);
    uint8_t *end = (uint8_t *)(inner + bytes + guard_bytes);
    if (first > start) munmap(start, (size_t)(first - start));
    if (end < start + total) munmap(end, (size_t)(start + total - end));
    return (uint8_t *)inner;
}

/* Map zeroed memory as wished. Returns 0; -EINVAL for a wish outside the rules (our bug); -ENOMEM when memory
 * or address space is short, or reserved huge pages are required and not there. Safe from any thread. */
SHIM_EXPORT int32_t shim_pages_map(const struct pages_wish *wish, struct pages_grant *grant) {
    const uint64_t base = base_page_bytes();
    if (wish->bytes == 0 || wish->bytes % base != 0) return -EINVAL;
    if (wish->node < -1 || wish->node >= NODES_MAX) return -EINVAL;
    if (wish->huge < HUGE_OFF || wish->huge > HUGE_REQUIRE) return -EINVAL;
    const int whole_huge_pages = wish->bytes % SHIM_HUGE_PAGE_BYTES == 0;
    if (wish->huge == HUGE_REQUIRE && (!whole_huge_pages || wish->populate == POPULATE_NONE)) return -EINVAL;

    const uint64_t alignment = wish->bytes >= SHIM_HUGE_PAGE_BYTES ? SHIM_HUGE_PAGE_BYTES : base;
    uint8_t *address = reserve_range(wish->bytes, alignment, base);
    if (address == NULL) return -errno;
    struct pages_grant granted = {.address = (uint64_t)(uintptr_t)address, .page_bytes = base, .kind = KIND_BASE};
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

    if (wish->huge != HUGE_OFF && wish->populate != POPULATE_NONE && whole_huge_pages) {
        int answer = 0;
        if (mmap(address, wish->bytes, PROT_READ | PROT_WRITE, flags | MAP_2_MIB_PAGES, -1, 0) == MAP_FAILED) {
            answer = -errno;
        } else {
            granted.bind_errno = -set_policy(address, wish->bytes, wish, 1);
            answer = populate(address, wish->bytes);
        }
        if (answer == 0) {
            granted.kind = KIND_RESERVED;
            granted.page_bytes = SHIM_HUGE_PAGE_BYTES;
            *grant = granted; /* Reserved huge pages are never swapped, so there is nothing to lock. */
            return 0;
        }
        granted.reserved_errno = -answer;
        if (wish->huge == HUGE_REQUIRE) {
            munmap(address - base, wish->bytes + 2 * base);
            return answer;
        }
    }

    /* MAP_FIXED replaces what the attempt above left there. */
    if (mmap(address, wish->bytes, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, -1, 0) == MAP_FAILED) {
        const int32_t answer = -errno;
        munmap(address - base, wish->bytes + 2 * base);
        return answer;
    }
    if (wish->huge == HUGE_TRY && wish->bytes >= SHIM_HUGE_PAGE_BYTES) {
        if (madvise(address, wish->bytes, MADV_HUGEPAGE) == 0) {
            granted.kind = KIND_TRANSPARENT;
            granted.page_bytes = SHIM_HUGE_PAGE_BYTES;
        } else {
            granted.transparent_errno = errno;
        }
    } else {
        /* With "always" in the kernel's setting, a lazily touched region would take 2 MiB at its first byte. */
        madvise(address, wish->bytes, MADV_NOHUGEPAGE);
    }
    granted.bind_errno = -set_policy(address, wish->bytes, wish, 0);
    if (wish->lock) granted.lock_errno = -lock_range(address, wish->bytes);
    if (wish->populate == POPULATE_ALL) {
        int32_t answer = populate(address, wish->bytes);
        if (answer == -EINVAL) { /* A kernel before 5.14: pages come as they are touched. */
            answer = 0;
        }
        if (answer != 0) {
            munmap(address - base, wish->bytes + 2 * base);
            return answer;
        }
    }
    *grant = granted;
    return 0;
}

/* Give back a region with its guards. No thread may touch it any more. */
SHIM_EXPORT int32_t shim_pages_unmap(uint64_t address, uint64_t bytes) {
    const uint64_t base = base_page_bytes();
    return munmap((void *)(uintptr_t)(address - base), bytes + 2 * base) < 0 ? -errno : 0;
}

/* Bring the pages of a part in now; -ENOMEM, -EFAULT or -EHWPOISON instead of a killed process. */
SHIM_EXPORT int32_t shim_pages_populate(uint64_t address, uint64_t bytes) {
    return populate((void *)(uintptr_t)address, bytes);
}

/* Let the pages of a part go: it reads as zeros again. */
SHIM_EXPORT int32_t shim_pages_discard(uint64_t address, uint64_t bytes) {
    return madvise((void *)(uintptr_t)address, bytes, MADV_DONTNEED) < 0 ? -errno : 0;
}

/* Ask the kernel on which node pages lie: `sample_count` (1 to 4096) of them, evenly spread.
 *
 *   node_pages_out  64 counts, pages of the sample per node
 *   absent_out      pages of the sample that were never touched (or are swapped out)
 *
 * Returns 0; -ENOSYS or -EPERM where the kernel does not say. */
SHIM_EXPORT int32_t shim_pages_nodes(uint64_t address, uint64_t bytes, uint32_t sample_count,
                                     uint32_t *node_pages_out, uint32_t *absent_out) {
    if (sample_count == 0 || sample_count > 4096) return -EINVAL;
    const uint64_t base = base_page_bytes();
    const uint64_t page_count = bytes / base;
    if (page_count == 0) return -EINVAL;
    if (sample_count > page_count) sample_count = (uint32_t)page_count;
    void **pages = malloc(sample_count * sizeof(void *));
    int *status = malloc(sample_count * sizeof(int));
    int32_t answer = 0;
    if (pages == NULL || status == NULL) {
        answer = -ENOMEM;
    } else {
        for (uint64_t i = 0; i < sample_count; i++)
            pages[i] = (void *)(uintptr_t)(address + (i * page_count / sample_count) * base);
        if (syscall(SYS_move_pages, 0, (unsigned long)sample_count, pages, NULL, status, 0) < 0) answer = -errno;
    }
    if (answer == 0) {
        memset(node_pages_out, 0, NODES_MAX * sizeof(uint32_t));
        *absent_out = 0;
        for (uint32_t i = 0; i < sample_count; i++) {
            if (status[i] >= 0 && status[i] < NODES_MAX) node_pages_out[status[i]]++;
            else (*absent_out)++;
        }
    }
    free(pages);
    free(status);
    return answer;
}
