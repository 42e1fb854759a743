/* One block of similarities in tiles, written once for every width of register.
 *
 * Included by centroids-tiled.c with these defined:
 *
 *   TILE_NAME(x)   x with a suffix of the width's own
 *   TILE_TARGET    the function attribute that allows the instructions, or nothing
 *   TILE_LANES     floats in a register: 4, 8 or 16
 *   TILE_A, TILE_B rows and columns of the large tile: their sums, TILE_B rows and one more fit the registers
 *                  (32 with AVX-512, 16 otherwise)
 *   TILE_ROW       columns beside one row: as many sums as keep a multiply-add going every cycle
 *
 * A compiler that knows the vector extension turns product and sum into a fused multiply-add where the target
 * has one. Nothing past the end of a row is read: what is left is copied into a register's worth of zeros. */

typedef float TILE_NAME(lanes) __attribute__((vector_size(TILE_LANES * 4)));

#define TILE_HELPER TILE_TARGET __attribute__((always_inline)) static inline

TILE_HELPER TILE_NAME(lanes) TILE_NAME(load)(const float *from) {
    TILE_NAME(lanes) value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

TILE_HELPER TILE_NAME(lanes) TILE_NAME(load_rest)(const float *from, size_t left) {
    TILE_NAME(lanes) value = {0};
    __builtin_memcpy(&value, from, left * sizeof(float));
    return value;
}

/* Adds the halves up until one number is left. */
TILE_HELPER float TILE_NAME(sum)(TILE_NAME(lanes) value) {
    float part[TILE_LANES];
    __builtin_memcpy(part, &value, sizeof part);
    for (int half = TILE_LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) part[i] += part[i + half];
    return part[0];
}

/* `rows` by `columns` similarities at once; both are constants where this is called, so every loop unrolls. */
TILE_HELPER void TILE_NAME(tile)(const float *const *a, const float *const *b, const int rows, const int columns,
                                 size_t dims, float *out, size_t out_stride) {
    TILE_NAME(lanes) sums[TILE_A][TILE_ROW];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) sums[i][j] = (TILE_NAME(lanes)){0};
    size_t d = 0;
    for (; d + TILE_LANES <= dims; d += TILE_LANES) {
        TILE_NAME(lanes) right[TILE_ROW];
        for (int j = 0; j < columns; j++) right[j] = TILE_NAME(load)(b[j] + d);
        for (int i = 0; i < rows; i++) {
            const TILE_NAME(lanes) left = TILE_NAME(load)(a[i] + d);
            for (int j = 0; j < columns; j++) sums[i][j] += left * right[j];
        }
    }
    if (d < dims)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                sums[i][j] += TILE_NAME(load_rest)(a[i] + d, dims - d) * TILE_NAME(load_rest)(b[j] + d, dims - d);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) out[(size_t)i * out_stride + j] = TILE_NAME(sum)(sums[i][j]);
}

/* One row against all columns. */
TILE_TARGET static void TILE_NAME(row)(const float *const *a, const float *const *b, size_t b_count, size_t dims,
                                       float *out) {
    size_t j = 0;
    for (; j + TILE_ROW <= b_count; j += TILE_ROW) TILE_NAME(tile)(a, b + j, 1, TILE_ROW, dims, out + j, 0);
    for (; j < b_count; j++) TILE_NAME(tile)(a, b + j, 1, 1, dims, out + j, 0);
}

TILE_TARGET static void TILE_NAME(block)(const float *const *a, size_t a_count, const float *const *b, size_t b_count,
                                         size_t dims, float *out, size_t out_stride) {
    size_t i = 0;
    for (; i + TILE_A <= a_count; i += TILE_A) {
        float *to = out + i * out_stride;
        size_t j = 0;
        for (; j + TILE_B <= b_count; j += TILE_B)
            TILE_NAME(tile)(a + i, b + j, TILE_A, TILE_B, dims, to + j, out_stride);
        for (; j < b_count; j++) TILE_NAME(tile)(a + i, b + j, TILE_A, 1, dims, to + j, out_stride);
    }
    for (; i < a_count; i++) TILE_NAME(row)(a + i, b, b_count, dims, out + i * out_stride);
}

#undef TILE_HELPER
#undef TILE_NAME
#undef TILE_TARGET
#undef TILE_LANES
#undef TILE_A
#undef TILE_B
#undef TILE_ROW
