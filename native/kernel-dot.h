/* Dot products of two vectors of one kind, the one operation that recall spends its time in.
 *
 *   kind  element                        bytes of a vector (kernel_vector_bytes)
 *   f32   IEEE single                    4 x dims
 *   bf16  upper half of a single         2 x dims
 *   f16   IEEE half                      2 x dims
 *   i8    -127..127, times its scale     dims rounded up to 4, then scale (f32), sum of elements (i32)
 *
 * i8 carries a scale per vector (largest absolute value / 127): one scale for all unit vectors of 768
 * dimensions would leave 4 of 127 steps in use, and sparse vectors would be clipped. The sum is what turns
 * the unsigned x signed instruction of AVX-512 VNNI into a signed product.
 *
 * Three implementations: AVX-512 of ours with four accumulators (NumKong's has one, and waits for it), else
 * what NumKong picks for this processor, and a plain one that both are tested against. They are chosen once,
 * by kernel_dot(); all are safe from any thread and read no byte past the vector. */
#ifndef ENGRAM_KERNEL_DOT_H
#define ENGRAM_KERNEL_DOT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum kernel_kind { KERNEL_F32 = 0, KERNEL_BF16 = 1, KERNEL_F16 = 2, KERNEL_I8 = 3, KERNEL_KINDS = 4 };

enum kernel_variant {
    KERNEL_BEST = 0,    /* what this processor runs fastest */
    KERNEL_SERIAL = 1,  /* the reference */
    KERNEL_NUMKONG = 2, /* NumKong's pick */
    KERNEL_AVX512 = 3,  /* ours; absent where the processor lacks it */
};

typedef float (*kernel_dot_fn)(const void *a, const void *b, size_t dims);

/* The function for a kind, or NULL where the variant can not run on this processor. */
kernel_dot_fn kernel_dot(enum kernel_kind kind, enum kernel_variant variant);

/* Bytes of one vector without padding. */
size_t kernel_vector_bytes(enum kernel_kind kind, size_t dims);

/* Converts one f32 vector; `out` has kernel_vector_bytes() bytes. */
void kernel_quantise(enum kernel_kind kind, const float *in, void *out, size_t dims);

/* Behind the dispatch, one file each. */
float kernel_dot_f32_serial(const void *a, const void *b, size_t dims);
float kernel_dot_bf16_serial(const void *a, const void *b, size_t dims);
float kernel_dot_f16_serial(const void *a, const void *b, size_t dims);
float kernel_dot_i8_serial(const void *a, const void *b, size_t dims);
kernel_dot_fn kernel_dot_avx512(enum kernel_kind kind);

/* The trailer of an i8 vector. */
struct kernel_i8_trailer {
    float scale;
    int32_t sum;
};
static inline size_t kernel_i8_trailer_at(size_t dims) { return (dims + 3) & ~(size_t)3; }

#ifdef __cplusplus
}
#endif
#endif
