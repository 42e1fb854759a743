/* Dot products without any SIMD: the reference that the others are tested against, summed in doubles. */
#include "kernel-dot.h"

#include <string.h>

static double bf16_value(uint16_t bits) {
    const uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

static double f16_value(uint16_t bits) {
    const int exponent = (bits >> 10) & 31;
    const int fraction = bits & 1023;
    double value;
    if (exponent == 0) {
        value = fraction / 16777216.0; /* 2^-24 each */
    } else if (exponent == 31) {
        value = fraction ? __builtin_nan("") : __builtin_inf();
    } else {
        value = (1024 + fraction) / 1024.0;
        for (int i = exponent; i < 15; i++) value /= 2;
        for (int i = 15; i < exponent; i++) value *= 2;
    }
    return bits & 0x8000 ? -value : value;
}

float kernel_dot_f32_serial(const void *a, const void *b, size_t dims) {
    const float *x = a, *y = b;
    double sum = 0;
    for (size_t i = 0; i < dims; i++) sum += (double)x[i] * y[i];
    return (float)sum;
}

float kernel_dot_bf16_serial(const void *a, const void *b, size_t dims) {
    const uint16_t *x = a, *y = b;
    double sum = 0;
    for (size_t i = 0; i < dims; i++) sum += bf16_value(x[i]) * bf16_value(y[i]);
    return (float)sum;
}

float kernel_dot_f16_serial(const void *a, const void *b, size_t dims) {
    const uint16_t *x = a, *y = b;
    double sum = 0;
    for (size_t i = 0; i < dims; i++) sum += f16_value(x[i]) * f16_value(y[i]);
    return (float)sum;
}

float kernel_dot_i8_serial(const void *a, const void *b, size_t dims) {
    const int8_t *x = a, *y = b;
    int64_t sum = 0;
    for (size_t i = 0; i < dims; i++) sum += (int32_t)x[i] * y[i];
    struct kernel_i8_trailer xt, yt;
    memcpy(&xt, x + kernel_i8_trailer_at(dims), sizeof xt);
    memcpy(&yt, y + kernel_i8_trailer_at(dims), sizeof yt);
    return (float)((double)sum * xt.scale * yt.scale);
}
