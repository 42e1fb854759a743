/* What is left of many memories at once, and activation divided by many fans.
 *
 * The curves are those of src/cognition/forgetting.ts, which is the plain version that this one is tested
 * against: within 1e-6, relative. Their constants are handed in, so that they stand in one place.
 *
 * Exponentials and logarithms are polynomials in double, written without a branch or a call, so that the
 * compiler makes 4 of them run at once; libm's are called one by one. In single precision the argument of a
 * long-forgotten memory alone (x = 1e5 half-lives) would be off by more than the bound.
 *
 *   2^y     y = n + f, |f| <= 1/2; Taylor of degree 7 in f ln 2 (error 4e-9), n added to the exponent
 *   log2 z  z = 2^e m, m in [1/sqrt 2, sqrt 2); 2 atanh((m - 1) / (m + 1)) to the 9th power (error 4e-10)
 *
 * bench/cognition/decay.bench.ts compares it with JavaScript. */
#if defined(__GNUC__) && !defined(__clang__)
/* Nobody looks at the floating-point flags, and with them a comparison is a branch that keeps a loop from being
 * vectorised: 14.6 ns a memory on the power law then, 5.9 without. */
#pragma GCC optimize("no-trapping-math")
#endif

#include "shim.h"

#include <string.h>

/* One source for all x86-64 levels: the compiler vectorises each clone, and the loader picks one. */
#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONES __attribute__((target_clones("arch=haswell", "default")))
#else
#define CLONES
#endif
#define HELPER __attribute__((always_inline)) static inline

enum curve { CURVE_EXPONENTIAL = 0, CURVE_POWER = 1, CURVE_TWO_COMPONENT = 2 };

HELPER uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

HELPER double of_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* 2^y for y <= 0; below 2^-1000 it stays there. */
HELPER double exp2_of(double y) {
    const double magic = 6755399441055744.0; /* 1.5 x 2^52: adding it rounds to a whole number in the low bits */
    y = y < -1000.0 ? -1000.0 : y;
    const double shifted = y + magic;
    const double f = (y - (shifted - magic)) * 0.69314718055994530942;
    double sum = 1.0 / 5040;
    sum = sum * f + 1.0 / 720;
    sum = sum * f + 1.0 / 120;
    sum = sum * f + 1.0 / 24;
    sum = sum * f + 1.0 / 6;
    sum = sum * f + 1.0 / 2;
    sum = sum * f + 1.0;
    sum = sum * f + 1.0;
    return of_bits(bits_of(sum) + (bits_of(shifted) << 52));
}

/* log2 z for normal z > 0. */
HELPER double log2_of(double z) {
    const uint64_t bits = bits_of(z);
    /* The exponent as a double without a conversion, which only AVX-512 has for 64 bits. */
    double e = of_bits((bits >> 52) | 0x4330000000000000u) - (4503599627370496.0 + 1023.0);
    double m = of_bits((bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u);
    const double high = m > 1.41421356237309504880 ? 1.0 : 0.0;
    e += high;
    m *= 1.0 - 0.5 * high;
    const double s = (m - 1.0) / (m + 1.0);
    const double square = s * s;
    double sum = 1.0 / 9;
    sum = sum * square + 1.0 / 7;
    sum = sum * square + 1.0 / 5;
    sum = sum * square + 1.0 / 3;
    sum = sum * square + 1.0;
    return e + 2.88539008177792681472 * s * sum; /* 2 / ln 2 */
}

/* Age in half-lives; a use that is still to come counts as now. */
HELPER double half_lives(float age_hours, float stability_hours) {
    const double x = (double)age_hours / (double)stability_hours;
    return x > 0 ? x : 0;
}

CLONES static void exponential(const float *ages, const float *stabilities, float *left, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) left[i] = (float)exp2_of(-half_lives(ages[i], stabilities[i]));
}

CLONES static void power(const float *ages, const float *stabilities, float *left, uint32_t count, double beta,
                         double psi) {
    for (uint32_t i = 0; i < count; i++)
        left[i] = (float)exp2_of(-psi * log2_of(1.0 + beta * half_lives(ages[i], stabilities[i])));
}

CLONES static void two_component(const float *ages, const float *stabilities, float *left, uint32_t count,
                                 double slow_share, double fast_rate, double slow_rate) {
    const double log2_e = 1.44269504088896340736;
    for (uint32_t i = 0; i < count; i++) {
        const double x = log2_e * half_lives(ages[i], stabilities[i]);
        left[i] = (float)((1.0 - slow_share) * exp2_of(-fast_rate * x) + slow_share * exp2_of(-slow_rate * x));
    }
}

/* What is left of each of `count` memories, 1 down to 0.
 *
 *   curve        FORGETTING_CURVE of src/layout/forgetting-curve.ts
 *   constants    3 doubles: none; beta, psi; slow share, a1, a2
 *   ages         hours since the last use
 *   stabilities  half-lives in hours, more than 0
 *   left         `count` of room
 *
 * Returns 0, or -EINVAL for a curve that is not known. Safe from any thread. */
SHIM_EXPORT int32_t shim_decay_retention(uint32_t curve, const double *constants, const float *ages,
                                         const float *stabilities, float *left, uint32_t count) {
    switch (curve) {
    case CURVE_EXPONENTIAL: exponential(ages, stabilities, left, count); return 0;
    case CURVE_POWER: power(ages, stabilities, left, count, constants[0], constants[1]); return 0;
    case CURVE_TWO_COMPONENT:
        two_component(ages, stabilities, left, count, constants[0], constants[1], constants[2]);
        return 0;
    default: return -EINVAL;
    }
}

/* Divides each activation by the root of its fan; a fan of 0 or 1 leaves it as it is.
 * `activations` and `shares` may be the same array. */
CLONES static void divide_by_fans(const float *activations, const uint32_t *fans, float *shares, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const int32_t fan = fans[i] > 1u ? (int32_t)fans[i] : 1; /* fans stay far below 2^31 */
        shares[i] = activations[i] / __builtin_sqrtf((float)fan);
    }
}

SHIM_EXPORT void shim_fan_divide(const float *activations, const uint32_t *fans, float *shares, uint32_t count) {
    divide_by_fans(activations, fans, shares, count);
}
