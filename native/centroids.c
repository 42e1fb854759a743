/* Centroids of concepts: similarities to many of them at once, and the direction of a weighted sum.
 *
 * Exports take rows by their addresses and may be called from any thread. The matrix shares its rows out
 * among threads of its own, which live as long as the call. */
#include "centroids.h"
#include "shim.h"

#include <math.h>
#include <numkong/dot.h>
#include <pthread.h>
#include <string.h>

/* Rows of the other side that are gone over before the next rows are taken: 64 x 768 floats stay in a second
 * level cache of 256 KiB. */
#define COLUMNS_AT_ONCE 64
/* Rows that a thread takes at a time: a multiple of every tile's height. */
#define ROWS_AT_ONCE 24
#define THREADS_MAX 64

static void block_numkong(const float *const *a, size_t a_count, const float *const *b, size_t b_count, size_t dims,
                          float *out, size_t out_stride) {
    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++) {
            nk_f64_t sum = 0;
            nk_dot_f32(a[i], b[j], dims, &sum);
            out[i * out_stride + j] = (float)sum;
        }
}

centroids_block_fn centroids_block(enum centroids_variant variant) {
    switch (variant) {
    case CENTROIDS_SERIAL: return centroids_block_serial;
    case CENTROIDS_NUMKONG: return block_numkong;
    case CENTROIDS_BEST: {
        centroids_block_fn best = centroids_block_tiled(CENTROIDS_AVX512);
        if (best == NULL) best = centroids_block_tiled(CENTROIDS_AVX2);
        return best != NULL ? best : centroids_block_tiled(CENTROIDS_TILED);
    }
    default: return centroids_block_tiled(variant);
    }
}

/* Writes the similarities of `a_count` rows with `b_count` others, row by row, b_count apart.
 *
 *   variant  a centroids_variant
 *   a, b     addresses of rows of `dims` floats
 *   out      a_count x b_count floats
 *
 * Returns 0, -EINVAL for a variant that is not known, -ENOSYS for one this processor can not run. */
SHIM_EXPORT int32_t shim_centroids_similarities(uint32_t variant, const float *const *a, uint32_t a_count,
                                                const float *const *b, uint32_t b_count, uint32_t dims, float *out) {
    if (variant >= CENTROIDS_VARIANTS) return -EINVAL;
    const centroids_block_fn block = centroids_block((enum centroids_variant)variant);
    if (block == NULL) return -ENOSYS;
    for (uint32_t j = 0; j < b_count; j += COLUMNS_AT_ONCE) {
        const uint32_t columns = b_count - j < COLUMNS_AT_ONCE ? b_count - j : COLUMNS_AT_ONCE;
        block(a, a_count, b + j, columns, dims, out + j, b_count);
    }
    return 0;
}

struct matrix {
    centroids_block_fn block;
    const float *const *rows;
    uint32_t count;
    uint32_t dims;
    float *out;
    uint32_t next_row; /* taken with an atomic add: the one word that the threads share and change */
};

/* The upper half, the diagonal included, of some rows after others, until none are left. */
static void *matrix_work(void *argument) {
    struct matrix *matrix = argument;
    const uint32_t count = matrix->count;
    for (;;) {
        const uint32_t from = __atomic_fetch_add(&matrix->next_row, ROWS_AT_ONCE, __ATOMIC_RELAXED);
        if (from >= count) return NULL;
        const uint32_t rows = count - from < ROWS_AT_ONCE ? count - from : ROWS_AT_ONCE;
        for (uint32_t j = from; j < count; j += COLUMNS_AT_ONCE) {
            const uint32_t columns = count - j < COLUMNS_AT_ONCE ? count - j : COLUMNS_AT_ONCE;
            matrix->block(matrix->rows + from, rows, matrix->rows + j, columns, matrix->dims,
                          matrix->out + (size_t)from * count + j, count);
        }
        /* Mirrored: this thread alone writes these columns of the lower half. */
        for (uint32_t i = from; i < from + rows; i++)
            for (uint32_t j = i + 1; j < count; j++)
                matrix->out[(size_t)j * count + i] = matrix->out[(size_t)i * count + j];
    }
}

/* Writes the similarities of all pairs of rows, both halves alike.
 *
 *   threads  how many share the work, 1 to THREADS_MAX; where one can not be started the others do it all
 *   out      count x count floats, the same to the last bit for any number of threads
 *
 * Returns 0, -EINVAL for arguments outside the rule, -ENOSYS for a variant this processor can not run. */
SHIM_EXPORT int32_t shim_centroids_matrix(uint32_t variant, const float *const *rows, uint32_t count, uint32_t dims,
                                          uint32_t threads, float *out) {
    if (variant >= CENTROIDS_VARIANTS || threads < 1 || threads > THREADS_MAX) return -EINVAL;
    struct matrix matrix = {centroids_block((enum centroids_variant)variant), rows, count, dims, out, 0};
    if (matrix.block == NULL) return -ENOSYS;
    pthread_t helpers[THREADS_MAX];
    uint32_t started = 0;
    while (started + 1 < threads && pthread_create(&helpers[started], NULL, matrix_work, &matrix) == 0) started++;
    matrix_work(&matrix);
    for (uint32_t i = 0; i < started; i++) pthread_join(helpers[i], NULL);
    return 0;
}

/* Writes the direction of a weighted sum of rows, scaled to length 1, and returns the length the sum had.
 *
 *   weights  by row; a negative one takes a row out of a sum it was in
 *   sums     dims doubles to add up in: one row of 768 numbers after another stays in the first level cache
 *
 * Where the length is 0 or not finite there is no direction and nothing is written. */
SHIM_EXPORT double shim_centroids_sum(const float *const *rows, const double *weights, uint32_t count, uint32_t dims,
                                      double *sums, float *out) {
    memset(sums, 0, sizeof(double) * dims);
    for (uint32_t i = 0; i < count; i++) {
        const float *row = rows[i];
        const double weight = weights[i];
        for (uint32_t d = 0; d < dims; d++) sums[d] += weight * row[d];
    }
    double square = 0;
    for (uint32_t d = 0; d < dims; d++) square += sums[d] * sums[d];
    const double length = sqrt(square);
    if (!isfinite(length) || length < 1e-12) return length;
    const double scale = 1 / length;
    for (uint32_t d = 0; d < dims; d++) out[d] = (float)(sums[d] * scale);
    return length;
}
