/* Chooses the dot product for this processor, and wraps NumKong's, which answer through a pointer. */
#include "kernel-dot.h"
#include "shim.h"

#include <numkong/cast.h>
#include <numkong/dot.h>
#include <string.h>

static float dot_f32_numkong(const void *a, const void *b, size_t dims) {
    nk_f64_t sum = 0;
    nk_dot_f32(a, b, dims, &sum);
    return (float)sum;
}

static float dot_bf16_numkong(const void *a, const void *b, size_t dims) {
    nk_f32_t sum = 0;
    nk_dot_bf16(a, b, dims, &sum);
    return sum;
}

static float dot_f16_numkong(const void *a, const void *b, size_t dims) {
    nk_f32_t sum = 0;
    nk_dot_f16(a, b, dims, &sum);
    return sum;
}

static float dot_i8_numkong(const void *a, const void *b, size_t dims) {
    nk_i32_t sum = 0;
    nk_dot_i8(a, b, dims, &sum);
    struct kernel_i8_trailer at, bt;
    memcpy(&at, (const char *)a + kernel_i8_trailer_at(dims), sizeof at);
    memcpy(&bt, (const char *)b + kernel_i8_trailer_at(dims), sizeof bt);
    return (float)sum * (at.scale * bt.scale);
}

kernel_dot_fn kernel_dot(enum kernel_kind kind, enum kernel_variant variant) {
    static const kernel_dot_fn serial[KERNEL_KINDS] = {kernel_dot_f32_serial, kernel_dot_bf16_serial,
                                                       kernel_dot_f16_serial, kernel_dot_i8_serial};
    static const kernel_dot_fn numkong[KERNEL_KINDS] = {dot_f32_numkong, dot_bf16_numkong, dot_f16_numkong,
                                                        dot_i8_numkong};
    if ((unsigned)kind >= KERNEL_KINDS) return NULL;
    switch (variant) {
    case KERNEL_SERIAL: return serial[kind];
    case KERNEL_NUMKONG: return numkong[kind];
    case KERNEL_AVX512: return kernel_dot_avx512(kind);
    case KERNEL_BEST: {
        const kernel_dot_fn ours = kernel_dot_avx512(kind);
        return ours ? ours : numkong[kind];
    }
    default: return NULL;
    }
}

size_t kernel_vector_bytes(enum kernel_kind kind, size_t dims) {
    switch (kind) {
    case KERNEL_F32: return 4 * dims;
    case KERNEL_BF16:
    case KERNEL_F16: return 2 * dims;
    case KERNEL_I8: return kernel_i8_trailer_at(dims) + sizeof(struct kernel_i8_trailer);
    default: return 0;
    }
}

/* One source for all x86-64 levels: the compiler vectorises each clone, and the loader picks one. */
#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

/* The largest magnitude, compared as integers: for finite numbers that is the same order, and it vectorises. */
CLONES static float largest_magnitude(const float *in, size_t dims) {
    uint32_t largest = 0;
    for (size_t i = 0; i < dims; i++) {
        uint32_t bits;
        memcpy(&bits, in + i, sizeof bits);
        bits &= 0x7FFFFFFFu;
        largest = bits > largest ? bits : largest;
    }
    float value;
    memcpy(&value, &largest, sizeof value);
    return value;
}

CLONES static int32_t scale_to_i8(const float *in, int8_t *out, size_t dims, float steps) {
    int32_t sum = 0;
    for (size_t i = 0; i < dims; i++) {
        const int32_t step = (int32_t)__builtin_rintf(in[i] * steps);
        out[i] = (int8_t)step;
        sum += step;
    }
    return sum;
}

static void quantise_i8(const float *in, int8_t *out, size_t dims) {
    const float largest = largest_magnitude(in, dims);
    const int32_t sum = scale_to_i8(in, out, dims, largest > 0 ? 127.0f / largest : 0.0f);
    const size_t trailer_at = kernel_i8_trailer_at(dims);
    for (size_t i = dims; i < trailer_at; i++) out[i] = 0;
    const struct kernel_i8_trailer trailer = {largest / 127.0f, sum};
    memcpy(out + trailer_at, &trailer, sizeof trailer);
}

void kernel_quantise(enum kernel_kind kind, const float *in, void *out, size_t dims) {
    switch (kind) {
    case KERNEL_F32: memcpy(out, in, 4 * dims); return;
    case KERNEL_BF16: nk_cast(in, nk_f32_k, dims, out, nk_bf16_k); return;
    case KERNEL_F16: nk_cast(in, nk_f32_k, dims, out, nk_f16_k); return;
    case KERNEL_I8: quantise_i8(in, out, dims); return;
    default: return;
    }
}

/* Bytes of one quantised vector without padding, or -EINVAL for a kind that is not known. */
SHIM_EXPORT int32_t shim_vector_bytes(uint32_t kind, uint32_t dims) {
    if (kind >= KERNEL_KINDS) return -EINVAL;
    return (int32_t)kernel_vector_bytes((enum kernel_kind)kind, dims);
}

/* Converts one f32 vector of `dims` elements into `out` (shim_vector_bytes() bytes). */
SHIM_EXPORT int32_t shim_vector_quantise(uint32_t kind, const float *in, void *out, uint32_t dims) {
    if (kind >= KERNEL_KINDS) return -EINVAL;
    kernel_quantise((enum kernel_kind)kind, in, out, dims);
    return 0;
}

/* The dot product of two vectors by one implementation, for tests and the kernel bench. `rounds` repeats it
 * over `count` vectors that lie `stride_bytes` apart from `b` on, so that a call's own cost does not show.
 * Returns -ENOSYS where this processor can not run the variant. */
SHIM_EXPORT int32_t shim_vector_dot(uint32_t kind, uint32_t variant, const void *a, const void *b, uint32_t dims,
                                    uint32_t count, uint32_t stride_bytes, uint32_t rounds, float *out) {
    const kernel_dot_fn dot = kernel_dot((enum kernel_kind)kind, (enum kernel_variant)variant);
    if (dot == NULL) return kind >= KERNEL_KINDS || variant > KERNEL_AVX512 ? -EINVAL : -ENOSYS;
    for (uint32_t round = 0; round < rounds; round++)
        for (uint32_t i = 0; i < count; i++) out[i] = dot(a, (const char *)b + (size_t)i * stride_bytes, dims);
    return 0;
}
