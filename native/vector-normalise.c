/* Scaling a vector to length 1: what every embedding passes through on its way in. */
#include <math.h>

#include "shim.h"

#define LANES 8

/* Writes `from` scaled to length 1 into `to`, which may be the same memory.
 *
 *   dims  numbers in both
 *
 * Returns the length it had, summed in double precision. Where that is 0 or not finite, also as a float,
 * nothing is written: such a vector has no direction. Safe from any thread. */
SHIM_EXPORT double shim_vector_normalise(const float *from, float *to, uint32_t dims) {
    double sums[LANES] = {0}; /* independent sums, so that the compiler may keep them in one register */
    uint32_t i = 0;
    for (; i + LANES <= dims; i += LANES)
        for (uint32_t lane = 0; lane < LANES; lane++) {
            const double value = from[i + lane];
            sums[lane] += value * value;
        }
    for (; i < dims; i++) sums[0] += (double)from[i] * from[i];
    double sum = 0;
    for (uint32_t lane = 0; lane < LANES; lane++) sum += sums[lane];
    const double length = sqrt(sum);
    if (!isfinite((float)length) || (float)length == 0.0f) return length;
    const float scale = (float)(1.0 / length);
    if (!isfinite(scale)) { /* so short that its inverse leaves the floats */
        for (i = 0; i < dims; i++) to[i] = (float)(from[i] / length);
        return length;
    }
    for (i = 0; i < dims; i++) to[i] = from[i] * scale;
    return length;
}
