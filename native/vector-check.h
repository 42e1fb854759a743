/* Whether a graph is sound: its links stay inside it, and every node can be reached. */
#ifndef ENGRAM_VECTOR_CHECK_H
#define ENGRAM_VECTOR_CHECK_H

#include "vector-graph.h"

namespace engram {

/* After a load: levels, counts and neighbours in range, no link to a level its target lacks, no slot at or
 * past `covered`. The caller holds the writer's lock. */
bool graph_is_sound(const vector_graph *graph, uint32_t covered);

/* Nodes that no walk over the base level can reach from the entry, into `out` (room for `most`); answers how
 * many there are, or -1 without memory. The caller holds the writer's lock. */
int64_t graph_unreachable(const vector_graph *graph, uint32_t *out, uint32_t most);

} // namespace engram

#endif
