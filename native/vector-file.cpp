/* A graph on disk: links only, the vectors stay in the arenas.
 *
 *   byte  0       8         12     16             20   24                28        32
 *         | magic | version | dims | quantization | M  | ef construction | covered | nodes
 *         36      40              48               52                                  56          64
 *         | twins | payload bytes | payload CRC32C | head CRC32C, over the bytes before | (zero) | payload
 *
 * Numbers are little-endian. The payload is what usearch's save_to_stream writes (its head of 40 bytes, a
 * level, i16, per node, the node records), and then {node u32, slot u32} for each twin (vector-twins.h), by
 * node and in each chain's order.
 *
 * Loading trusts nothing: levels and counts are checked before memory is taken for them, the checksum before
 * the graph is published, and then every link. A bad file answers -EBADMSG and leaves the graph empty. */
#include "vector-check.h"

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

extern "C" uint32_t shim_crc32c(uint32_t crc, const uint8_t *data, uint64_t bytes);

namespace engram {
namespace {

constexpr uint64_t FILE_MAGIC = 0x3148505247474e45ull; /* "ENGGRPH1" */
constexpr uint32_t FILE_VERSION = 1;
constexpr uint64_t HEAD_BYTES = 64;
constexpr std::size_t BLOCK_BYTES = 1 << 20;

struct file_head {
    uint64_t magic;
    uint32_t version, dims, quantization, connectivity, ef_construction, covered, nodes, twins;
    uint64_t payload_bytes;
    uint32_t payload_crc, head_crc;
    uint64_t unused;
};
static_assert(sizeof(file_head) == HEAD_BYTES, "the head is what the diagram says");
static_assert(offsetof(file_head, head_crc) == 52, "the head is what the diagram says");

uint32_t head_crc(const file_head &head) {
    return shim_crc32c(0, (const uint8_t *)&head, offsetof(file_head, head_crc));
}

struct block {
    uint8_t *bytes = (uint8_t *)malloc(BLOCK_BYTES);
    ~block() { free(bytes); }
};

int32_t write_all(int32_t fd, const void *data, uint64_t bytes, uint64_t at) {
    const uint8_t *from = (const uint8_t *)data;
    while (bytes > 0) {
        const ssize_t written = pwrite(fd, from, bytes, (off_t)at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -errno;
        if (written == 0) return -EIO;
        from += written;
        at += (uint64_t)written;
        bytes -= (uint64_t)written;
    }
    return 0;
}

struct writer {
    int32_t fd;
    uint64_t at, payload_bytes = 0;
    uint32_t crc = 0;
    int32_t status = 0;
    block buffer{};
    std::size_t held = 0;

    bool flush() {
        crc = shim_crc32c(crc, buffer.bytes, held);
        status = write_all(fd, buffer.bytes, held, at);
        at += held;
        payload_bytes += held;
        held = 0;
        return status == 0;
    }
    bool operator()(const void *data, std::size_t bytes) {
        const uint8_t *from = (const uint8_t *)data;
        while (bytes > 0) {
            const std::size_t part = std::min(bytes, BLOCK_BYTES - held);
            memcpy(buffer.bytes + held, from, part);
            held += part;
            from += part;
            bytes -= part;
            if (held == BLOCK_BYTES && !flush()) return false;
        }
        return true;
    }
};

bool write_twins(const vector_graph *graph, writer &to) {
    if (graph->twins.count.load(std::memory_order_relaxed) == 0) return true;
    const uint32_t count = graph->count.load(std::memory_order_relaxed);
    for (uint32_t node = 0; node < count; node++) {
        for (const twin_entry *twin = graph->twins_of(node); twin != nullptr; twin = graph->twin_after(twin)) {
            const uint32_t pair[2] = {node, twin->slot};
            if (!to(pair, sizeof pair)) return false;
        }
    }
    return true;
}

/* Hands usearch the bytes it asks for, in the order of its format, and checks them on the way. */
struct reader {
    vector_graph *graph;
    const file_head &head;
    int32_t fd;
    uint64_t at, left;
    uint32_t crc = 0;
    int32_t status = 0;
    block buffer{};
    std::size_t held = 0, given = 0;
    uint32_t call = 0;
    int16_t top_level = 0;
    uint64_t entry_node = 0;

    bool fail(int32_t why) {
        if (status == 0) status = why;
        return false;
    }
    bool fill() {
        const std::size_t wanted = (std::size_t)std::min<uint64_t>(left, BLOCK_BYTES);
        if (wanted == 0) return fail(-EBADMSG);
        held = 0;
        given = 0;
        while (held < wanted) {
            const ssize_t got = pread(fd, buffer.bytes + held, wanted - held, (off_t)at);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return fail(-errno);
            if (got == 0) return fail(-EBADMSG);
            held += (std::size_t)got;
            at += (uint64_t)got;
        }
        left -= held;
        crc = shim_crc32c(crc, buffer.bytes, held);
        return true;
    }
    bool take(void *into, std::size_t bytes) {
        uint8_t *to = (uint8_t *)into;
        while (bytes > 0) {
            if (given == held && !fill()) return false;
            const std::size_t part = std::min(bytes, held - given);
            memcpy(to, buffer.bytes + given, part);
            given += part;
            to += part;
            bytes -= part;
        }
        return true;
    }
    bool check_head(const unum::usearch::index_serialized_header_t &h) {
        const uint32_t connectivity = graph->config.connectivity;
        if (h.size != head.nodes || h.connectivity != connectivity || h.connectivity_base != 2 * connectivity)
            return fail(-EBADMSG);
        if (h.max_level >= LEVELS_MOST || h.entry_slot >= h.size) return fail(-EBADMSG);
        top_level = (int16_t)h.max_level;
        entry_node = h.entry_slot;
        return true;
    }
    bool check_levels(const int16_t *levels, uint32_t count) {
        uint64_t bytes = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (levels[i] < 0 || levels[i] > top_level) return fail(-EBADMSG);
            bytes += 6 + graph->base_list_bytes + (uint64_t)levels[i] * graph->upper_list_bytes;
        }
        bytes += 8ull * head.twins;
        return bytes == left + (held - given) || fail(-EBADMSG);
    }
    bool operator()(void *into, std::size_t bytes) {
        if (!take(into, bytes)) return false;
        call++;
        if (call == 1) return check_head(*(const unum::usearch::index_serialized_header_t *)into);
        if (call == 2) return check_levels((const int16_t *)into, (uint32_t)(bytes / sizeof(int16_t)));
        return true;
    }
};

void empty(vector_graph *graph) {
    current_tape = &graph->tape;
    graph->index->reset();
    current_tape = nullptr;
    graph->tape.used_bytes.store(0, std::memory_order_relaxed);
    twins_clear(&graph->twins);
    graph->count.store(0, std::memory_order_release);
    graph->entry.store(0, std::memory_order_release);
    graph->covered.store(0, std::memory_order_release);
}

/* The graph is made known once all of it is checked. */
int32_t publish(vector_graph *graph, const file_head &head, const reader &from, const uint32_t *pairs) {
    if (from.left != 0 || from.given != from.held || from.crc != head.payload_crc) return -EBADMSG;

    usearch_index &index = *graph->index;
    for (uint32_t node = 0; node < head.nodes; node++) {
        auto member = index.at(node);
        const int32_t status = graph_enter_node(graph, node, (uint32_t)member.key, member.key.ptr());
        if (status != 0) return status;
    }
    graph->twins.digests_whole = false;
    graph->working_bytes.store(graph_working_bytes(graph), std::memory_order_relaxed);
    graph->count.store(head.nodes, std::memory_order_release);
    graph->entry.store((uint64_t)from.top_level << 32 | from.entry_node, std::memory_order_release);
    if (!graph_is_sound(graph, head.covered)) return -EBADMSG;
    for (uint32_t i = 0; i < head.twins; i++) {
        if (pairs[2 * i] >= head.nodes || pairs[2 * i + 1] >= head.covered) return -EBADMSG;
        const int32_t status = twins_append(graph, pairs[2 * i], pairs[2 * i + 1]);
        if (status != 0) return status;
    }
    /* Searches walk only below what is covered: until here they left the graph alone. */
    graph->covered.store(head.covered, std::memory_order_release);
    return 0;
}

int32_t load_payload(vector_graph *graph, const file_head &head, int32_t fd, uint64_t at) {
    int32_t status = vector_range_grow(&graph->nodes, (uint64_t)head.nodes * sizeof(node_entry));
    if (status != 0) return status;
    reader from{graph, head, fd, at, head.payload_bytes};
    if (from.buffer.bytes == nullptr) return -ENOMEM;
    current_tape = &graph->tape;
    auto loaded = graph->index->load_from_stream(from);
    current_tape = nullptr;
    if (loaded.error) {
        loaded.error.release();
        return from.status != 0 ? from.status : -ENOMEM;
    }
    /* Kept aside until the checksum is known to fit. */
    uint32_t *pairs = (uint32_t *)malloc(8ull * head.twins + 8);
    if (pairs == nullptr) return -ENOMEM;
    if (!from.take(pairs, 8ull * head.twins)) {
        free(pairs);
        return from.status;
    }
    status = publish(graph, head, from, pairs);
    free(pairs);
    return status;
}

} // namespace
} // namespace engram

using namespace engram;

/* Writes the graph at `offset` of `fd`. Searches go on; an inserter waits. Nothing is synced.
 *
 *   sizes_out  {bytes written, covered slots, nodes} as f64
 *
 * Returns 0, -EINVAL, -ENOMEM or what write(2) failed with. */
SHIM_EXPORT int32_t shim_vector_save(uint64_t address, int32_t fd, uint64_t offset, double *sizes_out) {
    vector_graph *graph = graph_from(address);
    if (graph == nullptr) return -EINVAL;
    std::lock_guard<std::mutex> held(graph->writer);
    writer to{fd, offset + HEAD_BYTES};
    if (to.buffer.bytes == nullptr) return -ENOMEM;
    if (graph->count.load(std::memory_order_relaxed) > 0) {
        auto saved = graph->index->save_to_stream(to);
        if (saved.error) {
            saved.error.release();
            return to.status != 0 ? to.status : -EIO;
        }
    }
    if (!write_twins(graph, to) || !to.flush()) return to.status;
    file_head head{};
    head.magic = FILE_MAGIC;
    head.version = FILE_VERSION;
    head.dims = graph->config.dims;
    head.quantization = graph->config.quantization;
    head.connectivity = graph->config.connectivity;
    head.ef_construction = graph->config.ef_construction;
    head.covered = graph->covered.load(std::memory_order_relaxed);
    head.nodes = graph->count.load(std::memory_order_relaxed);
    head.twins = graph->twins.count.load(std::memory_order_relaxed);
    head.payload_bytes = to.payload_bytes;
    head.payload_crc = to.crc;
    head.head_crc = head_crc(head);
    const int32_t status = write_all(fd, &head, sizeof head, offset);
    if (status != 0) return status;
    sizes_out[0] = (double)(HEAD_BYTES + to.payload_bytes);
    sizes_out[1] = head.covered;
    sizes_out[2] = head.nodes;
    return 0;
}

/* Fills an empty graph from what shim_vector_save() wrote at `offset` of `fd`.
 *
 *   slots_most  slots that the arenas hold: a graph that names others is refused
 *
 * Returns 0; -EBADMSG for bytes that are damaged, cut or not a graph; -ESTALE for a graph of other dimensions,
 * quantization or M than this one was opened with; -EINVAL when the graph is not empty; -ENOSPC, -ENOMEM, or
 * what read(2) failed with. After an error the graph is empty. */
SHIM_EXPORT int32_t shim_vector_load(uint64_t address, int32_t fd, uint64_t offset, uint32_t slots_most) {
    vector_graph *graph = graph_from(address);
    if (graph == nullptr) return -EINVAL;
    std::lock_guard<std::mutex> held(graph->writer);
    if (graph->count.load(std::memory_order_relaxed) != 0 || graph->covered.load(std::memory_order_relaxed) != 0)
        return -EINVAL;
    file_head head;
    const ssize_t got = pread(fd, &head, sizeof head, (off_t)offset);
    if (got < 0) return -errno;
    if (got != (ssize_t)sizeof head || head.magic != FILE_MAGIC || head.head_crc != head_crc(head)) return -EBADMSG;
    if (head.unused != 0) return -EBADMSG;
    if (head.version != FILE_VERSION || head.dims != graph->config.dims ||
        head.quantization != graph->config.quantization || head.connectivity != graph->config.connectivity)
        return -ESTALE;
    if (head.covered > slots_most || (uint64_t)head.nodes + head.twins > head.covered) return -EBADMSG;
    if (head.nodes > graph->config.nodes_most) return -ENOSPC;
    if (head.nodes == 0) {
        if (head.payload_bytes != 0 || head.twins != 0) return -EBADMSG;
        graph->covered.store(head.covered, std::memory_order_release);
        return 0;
    }
    const int32_t status = load_payload(graph, head, fd, offset + HEAD_BYTES);
    if (status != 0) empty(graph);
    return status;
}
