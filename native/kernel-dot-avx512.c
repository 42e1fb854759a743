/* Dot products in AVX-512 with four accumulators.
 *
 * A multiply-add has a latency of 4-6 cycles and starts every cycle, so one accumulator runs at a quarter of
 * the speed; from four on the loads are the limit. 768 bf16 dimensions from L1: see bench/index/kernel.bench.ts.
 * Each function carries its own instruction set, so the file compiles for any x86-64 and is picked at run
 * time. The rest of a vector is read under a mask: no byte past its end is touched. */
#include "kernel-dot.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define BASE "avx512f,avx512bw,avx512vl,avx512dq,bmi2"
#define TARGET_BASE __attribute__((target(BASE)))
#define TARGET_BF16 __attribute__((target(BASE ",avx512bf16")))
#define TARGET_VNNI __attribute__((target(BASE ",avx512vnni")))
/* Helpers have the least target of their callers and must be inlined: a call that hands over a zmm register
 * leaves out vzeroupper, and the SSE code that runs next then waits for dirty upper halves, 200 ns a product. */
#define HELPER TARGET_BASE __attribute__((always_inline)) static inline

HELPER float sum4(__m512 s0, __m512 s1, __m512 s2, __m512 s3) {
    return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

TARGET_BASE static float dot_f32(const void *a, const void *b, size_t dims) {
    const float *x = a, *y = b;
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 64 <= dims; i += 64) {
        s0 = _mm512_fmadd_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i), s0);
        s1 = _mm512_fmadd_ps(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(y + i + 16), s1);
        s2 = _mm512_fmadd_ps(_mm512_loadu_ps(x + i + 32), _mm512_loadu_ps(y + i + 32), s2);
        s3 = _mm512_fmadd_ps(_mm512_loadu_ps(x + i + 48), _mm512_loadu_ps(y + i + 48), s3);
    }
    for (; i < dims; i += 16) {
        const size_t left = dims - i;
        const __mmask16 mask = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
        s0 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, y + i), s0);
    }
    return sum4(s0, s1, s2, s3);
}

HELPER __m512 f16_at(const uint16_t *x) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)x));
}

TARGET_BASE static float dot_f16(const void *a, const void *b, size_t dims) {
    const uint16_t *x = a, *y = b;
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 64 <= dims; i += 64) {
        s0 = _mm512_fmadd_ps(f16_at(x + i), f16_at(y + i), s0);
        s1 = _mm512_fmadd_ps(f16_at(x + i + 16), f16_at(y + i + 16), s1);
        s2 = _mm512_fmadd_ps(f16_at(x + i + 32), f16_at(y + i + 32), s2);
        s3 = _mm512_fmadd_ps(f16_at(x + i + 48), f16_at(y + i + 48), s3);
    }
    for (; i < dims; i += 16) {
        const size_t left = dims - i;
        const __mmask16 mask = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
        s0 = _mm512_fmadd_ps(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, x + i)),
                             _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, y + i)), s0);
    }
    return sum4(s0, s1, s2, s3);
}

TARGET_BF16 __attribute__((always_inline)) static inline __m512 dp(__m512 sum, const uint16_t *x, const uint16_t *y) {
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_loadu_si512(x), (__m512bh)_mm512_loadu_si512(y));
}

TARGET_BF16 static float dot_bf16(const void *a, const void *b, size_t dims) {
    const uint16_t *x = a, *y = b;
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 128 <= dims; i += 128) {
        s0 = dp(s0, x + i, y + i);
        s1 = dp(s1, x + i + 32, y + i + 32);
        s2 = dp(s2, x + i + 64, y + i + 64);
        s3 = dp(s3, x + i + 96, y + i + 96);
    }
    for (; i < dims; i += 32) {
        const size_t left = dims - i;
        const __mmask32 mask = left >= 32 ? 0xFFFFFFFFu : (__mmask32)((1u << left) - 1);
        s0 = _mm512_dpbf16_ps(s0, (__m512bh)_mm512_maskz_loadu_epi16(mask, x + i),
                              (__m512bh)_mm512_maskz_loadu_epi16(mask, y + i));
    }
    return sum4(s0, s1, s2, s3);
}

/* sum(a x b) = sum((a + 128) x b) - 128 x sum(b): VPDPBUSD multiplies unsigned by signed, and a ^ 0x80 is
 * a + 128 as an unsigned byte. Elements past the end are zero in b, so their a does not count. */
TARGET_VNNI static float dot_i8(const void *a, const void *b, size_t dims) {
    const int8_t *x = a, *y = b;
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 256 <= dims; i += 256) {
        s0 = _mm512_dpbusd_epi32(s0, _mm512_xor_si512(_mm512_loadu_si512(x + i), flip),
                                 _mm512_loadu_si512(y + i));
        s1 = _mm512_dpbusd_epi32(s1, _mm512_xor_si512(_mm512_loadu_si512(x + i + 64), flip),
                                 _mm512_loadu_si512(y + i + 64));
        s2 = _mm512_dpbusd_epi32(s2, _mm512_xor_si512(_mm512_loadu_si512(x + i + 128), flip),
                                 _mm512_loadu_si512(y + i + 128));
        s3 = _mm512_dpbusd_epi32(s3, _mm512_xor_si512(_mm512_loadu_si512(x + i + 192), flip),
                                 _mm512_loadu_si512(y + i + 192));
    }
    for (; i < dims; i += 64) {
        const size_t left = dims - i;
        const __mmask64 mask = left >= 64 ? ~0ull : ((1ull << left) - 1);
        s0 = _mm512_dpbusd_epi32(s0, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x + i), flip),
                                 _mm512_maskz_loadu_epi8(mask, y + i));
    }
    const int32_t biased =
        _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_add_epi32(s0, s1), _mm512_add_epi32(s2, s3)));
    struct kernel_i8_trailer xt, yt;
    memcpy(&xt, x + kernel_i8_trailer_at(dims), sizeof xt);
    memcpy(&yt, y + kernel_i8_trailer_at(dims), sizeof yt);
    return (float)(biased - 128 * yt.sum) * (xt.scale * yt.scale);
}

kernel_dot_fn kernel_dot_avx512(enum kernel_kind kind) {
    __builtin_cpu_init();
    const int base = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                     __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("bmi2");
    if (!base) return NULL;
    switch (kind) {
    case KERNEL_F32: return dot_f32;
    case KERNEL_F16: return dot_f16;
    case KERNEL_BF16: return __builtin_cpu_supports("avx512bf16") ? dot_bf16 : NULL;
    case KERNEL_I8: return __builtin_cpu_supports("avx512vnni") ? dot_i8 : NULL;
    default: return NULL;
    }
}

#else
kernel_dot_fn kernel_dot_avx512(enum kernel_kind kind) {
    (void)kind;
    return NULL;
}
#endif
