/* Similarities of many vectors to many others, the operation that forming concepts spends its time in.
 *
 * Rows are given by their addresses, because they lie in the chunks of an arena and nobody copies them. A
 * tile is the similarities of a few rows with a few others, summed side by side: each number that is loaded
 * is used several times, which is what a loop over single dot products lacks.
 *
 * Every pair is summed in the same order, whatever tile it falls into: one register of partial sums over the
 * dimensions, and then its halves added up. So a matrix is the same to the last bit however its rows are
 * shared out among threads. Across instruction sets the last bits differ; centroids-serial.c is what all are
 * held against. */
#ifndef ENGRAM_CENTROIDS_H
#define ENGRAM_CENTROIDS_H

#include <stddef.h>
#include <stdint.h>

enum centroids_variant {
    CENTROIDS_BEST = 0,    /* what this processor runs fastest */
    CENTROIDS_SERIAL = 1,  /* the reference, summed in doubles */
    CENTROIDS_NUMKONG = 2, /* NumKong's dot product, pair by pair */
    CENTROIDS_TILED = 3,   /* tiles of four lanes, for any processor the library is built for */
    CENTROIDS_AVX2 = 4,    /* tiles of eight lanes */
    CENTROIDS_AVX512 = 5,  /* tiles of sixteen lanes */
    CENTROIDS_VARIANTS = 6,
};

/* Writes the dot products of `a_count` rows with `b_count` others: out[i * out_stride + j]. */
typedef void (*centroids_block_fn)(const float *const *a, size_t a_count, const float *const *b, size_t b_count,
                                   size_t dims, float *out, size_t out_stride);

/* The function for a variant, or NULL where this processor can not run it. */
centroids_block_fn centroids_block(enum centroids_variant variant);

/* Behind the dispatch. */
void centroids_block_serial(const float *const *a, size_t a_count, const float *const *b, size_t b_count, size_t dims,
                            float *out, size_t out_stride);
centroids_block_fn centroids_block_tiled(enum centroids_variant variant);

#endif
