/* Samples of where threads are, by perf_event_open(2): while a thread runs, the kernel notes its stack at every
 * period of processor time into a ring that it shares with us.
 *
 *   page 0               page 1 ...
 *   | control: head, tail | records, wrapping: header (type, misc, size) | time | frames | address ... |
 *
 * The kernel moves the head, we the tail. A thread that sleeps costs nothing, so what is sampled is time on a core.
 * The clock of the kernel's software counters is used, which virtual machines have, too. Stacks are walked by frame
 * pointers: compiled JavaScript and the runtime keep them; leaves of C code that do not lose their caller only. */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* 32 KiB: a quarter of a second of the deepest stacks at 100 samples a second. A power of two. */
#define RING_PAGES 8
#define FRAMES_MAX 60
/* Below it lie the markers of the kind of frames that follow (PERF_CONTEXT_MAX). */
#define IS_MARKER(address) ((address) >= (uint64_t)PERF_CONTEXT_MAX)

struct stack_sampler {
    int fd;
    struct perf_event_mmap_page *control;
    size_t page_bytes;
};

/* Sample one thread of this process from now on.
 *
 *   period_ns    processor time between two samples
 *   user_only    not 0: time in the kernel is left out, which needs fewer rights
 *   sampler_out  the caller's until shim_stacks_close()
 *
 * Returns 0 or a negative errno: -EACCES or -EPERM without the right (or without room under
 * kernel.perf_event_mlock_kb), -ESRCH where the thread is gone, -ENOSYS. */
SHIM_EXPORT int32_t shim_stacks_open(int32_t thread_id, uint64_t period_ns, int32_t user_only, uint64_t *sampler_out) {
    if (thread_id <= 0 || period_ns == 0) return -EINVAL;
    struct perf_event_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_TASK_CLOCK;
    attributes.sample_period = period_ns;
    attributes.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN;
    attributes.sample_max_stack = FRAMES_MAX;
    attributes.exclude_kernel = user_only != 0;
    attributes.exclude_callchain_kernel = user_only != 0;
    attributes.exclude_hv = 1;
    attributes.disabled = 1;
    /* Times as JavaScript's sampler has them, so that both can be laid beside each other. */
    attributes.use_clockid = 1;
    attributes.clockid = CLOCK_REALTIME;
    const long fd = syscall(SYS_perf_event_open, &attributes, thread_id, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0) return -errno;
    struct stack_sampler *sampler = malloc(sizeof *sampler);
    if (sampler == NULL) {
        close((int)fd);
        return -ENOMEM;
    }
    sampler->fd = (int)fd;
    sampler->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    sampler->control =
        mmap(NULL, (RING_PAGES + 1) * sampler->page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, sampler->fd, 0);
    if (sampler->control == MAP_FAILED || ioctl(sampler->fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
        const int32_t refusal = -errno;
        if (sampler->control != MAP_FAILED) munmap(sampler->control, (RING_PAGES + 1) * sampler->page_bytes);
        close(sampler->fd);
        free(sampler);
        return refusal;
    }
    *sampler_out = (uint64_t)(uintptr_t)sampler;
    return 0;
}

/* Bytes of the ring from `at` on, over its end. */
static void copy_from_ring(const struct stack_sampler *sampler, uint64_t at, void *out, size_t bytes) {
    const size_t ring_bytes = RING_PAGES * sampler->page_bytes;
    const uint8_t *ring = (const uint8_t *)sampler->control + sampler->page_bytes;
    const size_t start = at % ring_bytes;
    const size_t first = bytes < ring_bytes - start ? bytes : ring_bytes - start;
    memcpy(out, ring + start, first);
    memcpy((uint8_t *)out + first, ring, bytes - first);
}

/* Take the samples that have come since the last call.
 *
 *   words_out  for each sample: ns since the epoch, number of frames, addresses from the innermost; one frame of
 *              address 1 stands for all frames in the kernel
 *   capacity   of it, in words; what does not fit stays for the next call
 *   lost_out   samples that found the ring full
 *
 * Returns the words written, or a negative errno. */
SHIM_EXPORT int64_t shim_stacks_read(uint64_t handle, uint64_t *words_out, uint64_t capacity, uint64_t *lost_out) {
    struct stack_sampler *sampler = (struct stack_sampler *)(uintptr_t)handle;
    const uint64_t head = __atomic_load_n(&sampler->control->data_head, __ATOMIC_ACQUIRE);
    uint64_t tail = sampler->control->data_tail;
    uint64_t written = 0;
    uint64_t record[2 + FRAMES_MAX + 16];
    *lost_out = 0;
    while (tail < head) {
        struct perf_event_header header;
        copy_from_ring(sampler, tail, &header, sizeof header);
        if (header.size < sizeof header) return -EIO;
        const size_t body = header.size - sizeof header;
        if (header.type == PERF_RECORD_LOST && body >= 16) {
            copy_from_ring(sampler, tail + sizeof header, record, 16);
            *lost_out += record[1];
        } else if (header.type == PERF_RECORD_SAMPLE && body >= 16 && body <= sizeof record) {
            copy_from_ring(sampler, tail + sizeof header, record, body);
            const uint64_t frames = record[1];
            if (frames <= body / 8 - 2) {
                if (written + 2 + frames > capacity) break;
                const uint64_t count_at = written + 1;
                words_out[written] = record[0];
                written += 2;
                int in_kernel = 0;
                for (uint64_t i = 0; i < frames; i++) {
                    const uint64_t address = record[2 + i];
                    if (IS_MARKER(address)) {
                        in_kernel = address == (uint64_t)PERF_CONTEXT_KERNEL;
                        if (in_kernel) words_out[written++] = 1;
                    } else if (!in_kernel) {
                        words_out[written++] = address;
                    }
                }
                words_out[count_at] = written - count_at - 1;
            }
        }
        tail += header.size;
    }
    __atomic_store_n(&sampler->control->data_tail, tail, __ATOMIC_RELEASE);
    return (int64_t)written;
}

/* End sampling a thread. Returns 0 or a negative errno. */
SHIM_EXPORT int32_t shim_stacks_close(uint64_t handle) {
    struct stack_sampler *sampler = (struct stack_sampler *)(uintptr_t)handle;
    munmap(sampler->control, (RING_PAGES + 1) * sampler->page_bytes);
    const int32_t answer = close(sampler->fd) < 0 ? -errno : 0;
    free(sampler);
    return answer;
}

/* Returns the address this library is loaded at: what its symbols are relative to. 0 where it can not be told. */
SHIM_EXPORT uint64_t shim_library_base(void) {
    Dl_info info;
    return dladdr((const void *)(uintptr_t)&shim_library_base, &info) == 0 ? 0 : (uint64_t)(uintptr_t)info.dli_fbase;
}
