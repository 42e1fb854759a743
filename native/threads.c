/* The calling thread: where it runs, how it is called, what it has used.
 *
 * Bun gives its workers no handle on their own thread; each calls these for itself. */
#include "shim.h"

#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NODES_MAX 64
#define CPU_WORDS 16 /* 1,024 CPUs, the kernel's usual limit */

/* Returns the thread's id, the name of its directory in /proc/self/task. */
SHIM_EXPORT int32_t shim_thread_id(void) { return (int32_t)syscall(SYS_gettid); }

/* Run only on the CPUs whose bits are set, from now on; threads that this one starts inherit it.
 * -EINVAL when none of them may be used (offline, or outside the cgroup's set). */
SHIM_EXPORT int32_t shim_thread_set_cpus(const uint64_t *cpu_mask, uint32_t words) {
    return syscall(SYS_sched_setaffinity, 0, words * sizeof(uint64_t), cpu_mask) < 0 ? -errno : 0;
}

/* Returns the number of 64-bit words written: the CPUs this thread may run on. `words` at least 16. */
SHIM_EXPORT int32_t shim_thread_get_cpus(uint64_t *cpu_mask_out, uint32_t words) {
    if (words < CPU_WORDS) return -EINVAL;
    const long bytes = syscall(SYS_sched_getaffinity, 0, words * sizeof(uint64_t), cpu_mask_out);
    return bytes < 0 ? -errno : (int32_t)(bytes / (long)sizeof(uint64_t));
}

/* Name shown by ps -L, top -H, perf: at most 15 bytes are kept. */
SHIM_EXPORT int32_t shim_thread_set_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0) < 0 ? -errno : 0; }

/* Priority of one thread: -20 first, 19 last. -EACCES for a lower number than now without CAP_SYS_NICE. */
SHIM_EXPORT int32_t shim_thread_set_nice(int32_t thread_id, int32_t nice) {
    return setpriority(PRIO_PROCESS, (id_t)thread_id, nice) < 0 ? -errno : 0;
}

/* Returns the CPU this thread is on at this moment. */
SHIM_EXPORT int32_t shim_thread_cpu(void) {
    unsigned cpu;
    return syscall(SYS_getcpu, &cpu, NULL, NULL) < 0 ? -errno : (int32_t)cpu;
}

/* Returns the NUMA node of that CPU. */
SHIM_EXPORT int32_t shim_thread_node(void) {
    unsigned node;
    return syscall(SYS_getcpu, NULL, &node, NULL) < 0 ? -errno : (int32_t)node;
}

/* Where memory that this thread touches first comes from: 0 the default, 1 rather from the (one) node of the
 * mask, 2 only from the nodes of the mask, 3 spread over them (set_mempolicy(2)). */
SHIM_EXPORT int32_t shim_thread_set_memory_policy(int32_t mode, uint64_t node_mask) {
    unsigned long mask = node_mask;
    if (mode < 0 || mode > 3) return -EINVAL;
    const long answer = mode == 0 ? syscall(SYS_set_mempolicy, 0, NULL, 0)
                                  : syscall(SYS_set_mempolicy, mode, &mask, NODES_MAX + 1);
    return answer < 0 ? -errno : 0;
}

/* What this thread has used since it began; 6 doubles: user seconds, system seconds, minor faults, major
 * faults, voluntary and involuntary context switches. */
SHIM_EXPORT int32_t shim_thread_usage(double *usage_out) {
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) < 0) return -errno;
    usage_out[0] = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
    usage_out[1] = (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    usage_out[2] = (double)usage.ru_minflt;
    usage_out[3] = (double)usage.ru_majflt;
    usage_out[4] = (double)usage.ru_nvcsw;
    usage_out[5] = (double)usage.ru_nivcsw;
    return 0;
}
