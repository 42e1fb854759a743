/* Time in nanoseconds from the processor's own counter, in a third of what the clock costs from JavaScript.
 *
 * x86-64: the time-stamp counter, calibrated once against CLOCK_MONOTONIC. arm64: the virtual counter, whose
 * frequency the processor states. The caller decides (src/ffi/tick-clock.ts) whether the counter can be
 * trusted on this machine: it must run at one rate in every state of every core.
 *
 * The rate is written once, by the first shim_clock_calibrate() of the process, and read by all threads. */
#include "shim.h"

#include <pthread.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

static pthread_mutex_t calibrating = PTHREAD_MUTEX_INITIALIZER;
static uint64_t ticks_at_origin;
static double ns_per_tick;

static inline uint64_t ticks(void) {
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
#error "engram runs on x86-64 and arm64"
#endif
}

static uint64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* One instant on both clocks: of 16 attempts the one whose two counter readings lie closest together, so that
 * an interrupt between them does no harm. */
static void read_both(uint64_t *ticks_out, uint64_t *ns_out) {
    uint64_t closest = UINT64_MAX;
    for (int attempt = 0; attempt < 16; attempt++) {
        const uint64_t before = ticks();
        const uint64_t ns = monotonic_ns();
        const uint64_t after = ticks();
        if (after - before < closest) {
            closest = after - before;
            *ticks_out = before + (after - before) / 2;
            *ns_out = ns;
        }
    }
}

static int32_t calibrate(uint32_t calibrate_ms) {
    double rate;
#if defined(__aarch64__)
    (void)calibrate_ms;
    (void)read_both;
    uint64_t frequency;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    if (frequency == 0) return -ENODEV;
    ticks_at_origin = ticks();
    rate = 1e9 / (double)frequency;
#else
    uint64_t ticks_begin = 0, ns_begin = 0, ticks_end = 0, ns_end = 0;
    read_both(&ticks_begin, &ns_begin);
    const struct timespec pause = {.tv_sec = calibrate_ms / 1000, .tv_nsec = (calibrate_ms % 1000) * 1000000l};
    nanosleep(&pause, NULL);
    read_both(&ticks_end, &ns_end);
    if (ticks_end <= ticks_begin || ns_end <= ns_begin) return -ENODEV;
    ticks_at_origin = ticks_begin;
    rate = (double)(ns_end - ns_begin) / (double)(ticks_end - ticks_begin);
#endif
    /* Stored last: whoever sees the rate sees the origin. */
    __atomic_store(&ns_per_tick, &rate, __ATOMIC_RELEASE);
    return 0;
}

/* Find the counter's rate, unless it was found before. Takes `calibrate_ms` (1 to 1000) on x86-64 and no time
 * on arm64; each end is good to some 30 ns, so 5 ms give the rate to about 10 in a million.
 * Returns 0; -EINVAL for a time outside the rule; -ENODEV when the counter does not advance. */
SHIM_EXPORT int32_t shim_clock_calibrate(uint32_t calibrate_ms) {
    if (calibrate_ms < 1 || calibrate_ms > 1000) return -EINVAL;
    pthread_mutex_lock(&calibrating);
    const int32_t answer = ns_per_tick == 0 ? calibrate(calibrate_ms) : 0;
    pthread_mutex_unlock(&calibrating);
    return answer;
}

/* Nanoseconds since the calibration; 0 before it. Exact to a tick for 104 days. Not serialised with the
 * instructions around it: good to some 10 ns. */
SHIM_EXPORT double shim_clock_ns(void) { return (double)(ticks() - ticks_at_origin) * ns_per_tick; }

/* Nanoseconds a tick; 0 before the calibration. */
SHIM_EXPORT double shim_clock_ns_per_tick(void) { return ns_per_tick; }

/* Whether the processor promises a counter that runs at one rate in all power states (x86-64: the invariant
 * TSC bit; arm64: by architecture). A hypervisor may hide the bit; then 0. */
SHIM_EXPORT int32_t shim_clock_is_invariant(void) {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    if (!__get_cpuid(0x80000007, &a, &b, &c, &d)) return 0;
    return (d >> 8) & 1;
#else
    return 1;
#endif
}
