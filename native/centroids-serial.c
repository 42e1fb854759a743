/* Similarities without any SIMD: the reference that the tiles are tested against, summed in doubles. */
#include "centroids.h"

void centroids_block_serial(const float *const *a, size_t a_count, const float *const *b, size_t b_count, size_t dims,
                            float *out, size_t out_stride) {
    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++) {
            double sum = 0;
            for (size_t d = 0; d < dims; d++) sum += (double)a[i][d] * b[j][d];
            out[i * out_stride + j] = (float)sum;
        }
}
