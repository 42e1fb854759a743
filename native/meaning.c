/* Learning what words mean (src/cognition/meaning/): the loops over texts and terms. Plain twins are in
 * src/cognition/meaning/kernels.ts, and in step with these. */
#include "shim.h"

#include <string.h>

#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

/* In step with src/ffi/meaning.ts. */
struct meaning_texts {
    const uint32_t *starts; /* text_count + 1 */
    const uint32_t *terms;
    const float *weights;
    const uint32_t *runs;    /* by text; neighbours of another run are no context */
    const float *inverses;   /* 1 / length of each text with its context */
    const float *context;    /* shares of neighbours by distance, from 1 */
    uint64_t text_count;
    uint64_t width;          /* distances */
};

/* row = the row of `source`, and those of its neighbours times their shares */
static inline void mix(const struct meaning_texts *texts, const float *source, uint64_t first, uint64_t last,
                       uint64_t text, uint32_t columns, float *row) {
    memcpy(row, source + (text - first) * columns, columns * sizeof *row);
    for (uint64_t d = 1; d <= texts->width; d++) {
        const float share = texts->context[d - 1];
        if (text >= first + d && texts->runs[text - d] == texts->runs[text]) {
            const float *near = source + (text - d - first) * columns;
            for (uint32_t c = 0; c < columns; c++) row[c] += share * near[c];
        }
        if (text + d < last && texts->runs[text + d] == texts->runs[text]) {
            const float *near = source + (text + d - first) * columns;
            for (uint32_t c = 0; c < columns; c++) row[c] += share * near[c];
        }
    }
}

/* out += A'A basis, the part of the texts [from, to), A being the texts with their context at length 1.
 *
 *   basis, out  terms x columns
 *   scratch     (to - from + 4 width + 1) x 2 x columns floats, of any content */
CLONES SHIM_EXPORT void shim_meaning_pass(const struct meaning_texts *texts, const float *basis, uint32_t columns,
                                          uint32_t from, uint32_t to, float *scratch, float *out) {
    const uint64_t width = texts->width;
    const uint64_t first = from > 2 * width ? from - 2 * width : 0;
    const uint64_t last = to + 2 * width < texts->text_count ? to + 2 * width : texts->text_count;
    float *own = scratch;
    float *around = scratch + (last - first) * columns;
    float *mixed = around + (last - first) * columns;
    memset(own, 0, 2 * (last - first) * columns * sizeof *own);
    for (uint64_t text = first; text < last; text++) {
        float *row = own + (text - first) * columns;
        for (uint32_t at = texts->starts[text]; at < texts->starts[text + 1]; at++) {
            const float weight = texts->weights[at];
            const float *term = basis + (uint64_t)texts->terms[at] * columns;
            for (uint32_t c = 0; c < columns; c++) row[c] += weight * term[c];
        }
    }
    const uint64_t around_first = from > first + width ? from - width : first;
    const uint64_t around_last = to + width < last ? to + width : last;
    for (uint64_t text = around_first; text < around_last; text++) {
        float *row = around + (text - first) * columns;
        const float scale = texts->inverses[text] * texts->inverses[text];
        mix(texts, own, first, last, text, columns, row);
        for (uint32_t c = 0; c < columns; c++) row[c] *= scale;
    }
    for (uint64_t text = from; text < to; text++) {
        mix(texts, around, first, last, text, columns, mixed);
        for (uint32_t at = texts->starts[text]; at < texts->starts[text + 1]; at++) {
            const float weight = texts->weights[at];
            float *term = out + (uint64_t)texts->terms[at] * columns;
            for (uint32_t c = 0; c < columns; c++) term[c] += weight * mixed[c];
        }
    }
}

/* out += a' b over `rows` rows; out is columns x columns doubles. */
CLONES SHIM_EXPORT void shim_meaning_gram(const float *a, const float *b, uint32_t columns, uint32_t rows,
                                          double *out) {
    for (uint32_t row = 0; row < rows; row++, a += columns, b += columns) {
        for (uint32_t i = 0; i < columns; i++) {
            const double value = a[i];
            double *sums = out + (uint64_t)i * columns;
            for (uint32_t j = 0; j < columns; j++) sums[j] += value * b[j];
        }
    }
}

/* Replaces each of `rows` rows of a by row x factor (columns x columns); scratch is one row. */
CLONES SHIM_EXPORT void shim_meaning_multiply(float *a, uint32_t columns, const float *factor, uint32_t rows,
                                              float *scratch) {
    for (uint32_t row = 0; row < rows; row++, a += columns) {
        memset(scratch, 0, columns * sizeof *scratch);
        for (uint32_t i = 0; i < columns; i++) {
            const float value = a[i];
            const float *line = factor + (uint64_t)i * columns;
            for (uint32_t j = 0; j < columns; j++) scratch[j] += value * line[j];
        }
        memcpy(a, scratch, columns * sizeof *a);
    }
}
