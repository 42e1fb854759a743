/* Reports the compiled layout, for the test that compares it with src/layout. */
#include "shim.h"

#include "layout.h"

#define FIELD(type, field, name) {name, offsetof(struct type, field)},
#define SIZE(type, name) {name, sizeof(struct type)},

static const struct {
    const char *name;
    uint64_t value;
} facts[] = {LAYOUT_FACTS(FIELD, SIZE)};

#define FACT_COUNT (sizeof facts / sizeof facts[0])

/* Fact by index: its name ("node_header.state" an offset, "node_header" a size) and value.
 * Returns 0, or -ENOENT behind the last one. */
SHIM_EXPORT int32_t shim_layout_fact(uint32_t index, const char **name_out, uint64_t *value_out) {
    if (index >= FACT_COUNT) return -ENOENT;
    *name_out = facts[index].name;
    *value_out = facts[index].value;
    return 0;
}
