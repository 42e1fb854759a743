/* The kernels of the mind at odd sizes, in memory that ends where the data does, and from several threads.
 *
 * Compiled with the sources under test and with a sanitizer by sanitizers.test.ts. What the numbers should be is
 * tested in TypeScript; here it is what is read and written. Prints "ok" and ends with 0. */
#include "centroids.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLERS 3

int32_t shim_centroids_similarities(uint32_t, const float *const *, uint32_t, const float *const *, uint32_t, uint32_t,
                                    float *);
int32_t shim_centroids_matrix(uint32_t, const float *const *, uint32_t, uint32_t, uint32_t, float *);
double shim_centroids_sum(const float *const *, const double *, uint32_t, uint32_t, double *, float *);
int32_t shim_decay_retention(uint32_t, const double *, const float *, const float *, float *, uint32_t);
void shim_fan_divide(const float *, const uint32_t *, float *, uint32_t);

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void *block(size_t bytes) {
    void *memory = malloc(bytes > 0 ? bytes : 1);
    if (memory == NULL) fail("no memory");
    return memory;
}

/* Rows that each end where their memory does. */
static const float **rows_of(uint32_t count, uint32_t dims, uint32_t seed) {
    const float **rows = block(sizeof *rows * count);
    for (uint32_t i = 0; i < count; i++) {
        float *row = block(sizeof(float) * dims);
        for (uint32_t d = 0; d < dims; d++) row[d] = (float)(((i + seed) * 31 + d * 17) % 101) / 101.0f;
        rows[i] = row;
    }
    return rows;
}

static void free_rows(const float **rows, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) free((void *)rows[i]);
    free(rows);
}

static void check_centroids(uint32_t a_count, uint32_t b_count, uint32_t dims) {
    const float **a = rows_of(a_count, dims, 1), **b = rows_of(b_count, dims, 2);
    float *plain = block(sizeof(float) * a_count * b_count), *out = block(sizeof(float) * a_count * b_count);
    shim_centroids_similarities(CENTROIDS_SERIAL, a, a_count, b, b_count, dims, plain);
    for (uint32_t variant = 0; variant < CENTROIDS_VARIANTS; variant++) {
        if (shim_centroids_similarities(variant, a, a_count, b, b_count, dims, out) != 0) continue;
        for (uint32_t i = 0; i < a_count * b_count; i++)
            if (fabsf(out[i] - plain[i]) > 1e-6f * dims) fail("a similarity differs from the plain one");
    }
    double *weights = block(sizeof(double) * a_count), *sums = block(sizeof(double) * dims);
    float *direction = block(sizeof(float) * dims);
    for (uint32_t i = 0; i < a_count; i++) weights[i] = i % 2 == 0 ? 1 : -0.5;
    shim_centroids_sum(a, weights, a_count, dims, sums, direction);
    free(weights), free(sums), free(direction), free(plain), free(out);
    free_rows(a, a_count), free_rows(b, b_count);
}

static void check_decay(uint32_t count) {
    const double constants[3] = {0.5, 0.7, 0.1};
    float *ages = block(sizeof(float) * count), *stabilities = block(sizeof(float) * count);
    float *left = block(sizeof(float) * count);
    uint32_t *fans = block(sizeof(uint32_t) * count);
    for (uint32_t i = 0; i < count; i++) ages[i] = (float)i * 100, stabilities[i] = (float)(1 + i % 7), fans[i] = i;
    for (uint32_t curve = 0; curve < 3; curve++) {
        if (shim_decay_retention(curve, constants, ages, stabilities, left, count) != 0) fail("a curve is unknown");
        for (uint32_t i = 0; i < count; i++)
            if (!(left[i] >= 0 && left[i] <= 1.000001f)) fail("what is left of a memory is no share");
    }
    shim_fan_divide(left, fans, left, count);
    free(ages), free(stabilities), free(left), free(fans);
}

/* A caller of its own, whose matrix has two threads of its own: rows are shared, nothing is written twice. */
static void *call_matrix(void *argument) {
    const float **rows = argument;
    float *alone = block(sizeof(float) * 61 * 61), *shared = block(sizeof(float) * 61 * 61);
    for (int round = 0; round < 20; round++) {
        shim_centroids_matrix(CENTROIDS_BEST, rows, 61, 33, 1, alone);
        shim_centroids_matrix(CENTROIDS_BEST, rows, 61, 33, 3, shared);
        if (memcmp(alone, shared, sizeof(float) * 61 * 61) != 0) fail("the number of threads changes the matrix");
    }
    free(alone), free(shared);
    return NULL;
}

int main(void) {
    for (uint32_t dims = 1; dims < 70; dims += dims < 34 ? 1 : 7)
        for (uint32_t a = 1; a < 7; a++) check_centroids(a, 1 + (a * 5 + dims) % 19, dims);
    for (uint32_t count = 0; count < 40; count++) check_decay(count);
    const float **rows = rows_of(61, 33, 3);
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        if (pthread_create(&callers[i], NULL, call_matrix, rows) != 0) fail("no thread");
    for (int i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);
    free_rows(rows, 61);
    puts("ok");
    return 0;
}
