/* Counters of the processor and the kernel, one thread each, through perf_event_open(2).
 *
 * Counters form groups: the processor runs a group as a whole or not at all, so ratios inside one are honest
 * even while several groups take turns on too few registers. A group is read with one read(2) of its leader:
 *
 *   u64   number of counters | ns enabled | ns running | value, in the order of opening | ...
 *
 * The kernel's totals are differenced here, in 64-bit integers, because a double counts exactly to 2^53 only
 * and cycles get there in a month.
 *
 * Nothing here runs on a hot path: opening a thread's counters takes some 300 us, reading 13 us, 40 us where they
 * are taken from /proc instead (bench/observe/hardware-counters.bench.ts, in a virtual machine). */
#include "shim.h"

#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GROUP_COUNTERS_MAX 8
/* enabled and running, before the values */
#define GROUP_TIMES 2

/* Open one counter of one thread.
 *
 *   type, config  as perf_event_open(2) has them
 *   thread_id     in the caller's process
 *   group         descriptor of the leader, or -1 to become one: it then stands still until shim_perf_start()
 *   user_only     not 0: what the kernel does for the thread is left out, which needs fewer rights
 *
 * Returns a descriptor, close-on-exec, the caller's until shim_perf_close(), or a negative errno:
 * -ENOENT or -EOPNOTSUPP where the processor has no such counter, -EACCES or -EPERM where the caller lacks the
 * right, -EINVAL also where the group can not take it, -EMFILE, -ESRCH where the thread is gone. */
SHIM_EXPORT int32_t shim_perf_open(uint32_t type, uint64_t config, int32_t thread_id, int32_t group, int32_t user_only) {
    struct perf_event_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.size = sizeof attributes;
    attributes.type = type;
    attributes.config = config;
    attributes.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    attributes.disabled = group == -1;
    attributes.exclude_kernel = user_only != 0;
    attributes.exclude_hv = 1;
    if (thread_id <= 0) return -EINVAL; /* 0 would be the caller, -1 everybody: neither is meant */
    const long answer = syscall(SYS_perf_event_open, &attributes, thread_id, -1, group, PERF_FLAG_FD_CLOEXEC);
    return answer < 0 ? -errno : (int32_t)answer;
}

/* Let the counters of a group run, from what they count now on. Returns 0 or a negative errno. */
SHIM_EXPORT int32_t shim_perf_start(int32_t leader) {
    return ioctl(leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP) < 0 ? -errno : 0;
}

/* What a group counted since it was read last.
 *
 *   counters  of the group, 1 to 8
 *   totals    GROUP_TIMES + counters numbers: the kernel's totals of the last reading, zeros before the first
 *   since_out as many: ns enabled, ns running, then the counters; only written on success
 *
 * Returns 0; -EINVAL for a number of counters outside the rule, or another one than the group has; or what
 * read(2) answered. */
SHIM_EXPORT int32_t shim_perf_read(int32_t leader, uint32_t counters, uint64_t *totals, double *since_out) {
    if (counters < 1 || counters > GROUP_COUNTERS_MAX) return -EINVAL;
    uint64_t now[1 + GROUP_TIMES + GROUP_COUNTERS_MAX];
    const ssize_t bytes = (1 + GROUP_TIMES + counters) * sizeof(uint64_t);
    const ssize_t got = read(leader, now, sizeof now);
    if (got < 0) return -errno;
    if (got != bytes || now[0] != counters) return -EINVAL;
    for (uint32_t index = 0; index < GROUP_TIMES + counters; index++) {
        since_out[index] = (double)(now[1 + index] - totals[index]);
        totals[index] = now[1 + index];
    }
    return 0;
}

/* Close a counter; a leader last. Returns 0 or a negative errno. */
SHIM_EXPORT int32_t shim_perf_close(int32_t counter) { return close(counter) < 0 ? -errno : 0; }
