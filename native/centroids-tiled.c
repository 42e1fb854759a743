/* The tiles of centroids-tile.h for each width of register, picked at run time. */
#include "centroids.h"

#define TILE_NAME(x) x##_4
#define TILE_TARGET
#define TILE_LANES 4
#define TILE_A 2
#define TILE_B 4
#define TILE_ROW 8
#include "centroids-tile.h"

#if defined(__x86_64__)
#define TILE_NAME(x) x##_8
#define TILE_TARGET __attribute__((target("avx2,fma")))
#define TILE_LANES 8
#define TILE_A 2
#define TILE_B 4
#define TILE_ROW 8
#include "centroids-tile.h"

#define TILE_NAME(x) x##_16
#define TILE_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")))
#define TILE_LANES 16
#define TILE_A 4
#define TILE_B 4
#define TILE_ROW 8
#include "centroids-tile.h"
#endif

centroids_block_fn centroids_block_tiled(enum centroids_variant variant) {
    if (variant == CENTROIDS_TILED) return block_4;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (variant == CENTROIDS_AVX2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return block_8;
    if (variant == CENTROIDS_AVX512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return block_16;
#endif
    return NULL;
}
