/* Generated from src/layout by src/build/layout-header.ts. Change the layout there, then run it. */
#ifndef ENGRAM_LAYOUT_H
#define ENGRAM_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define LAYOUT_CACHE_LINE_BYTES 64
#define LAYOUT_FILTER_TAGS_MAX 32
#define LAYOUT_BINDING_UNIT_BYTES 64
#define LAYOUT_BINDING_CHUNK_BYTES 2097152
#define LAYOUT_NODE_STATE_FREE 0
#define LAYOUT_NODE_STATE_LIVE 1
#define LAYOUT_NODE_STATE_FORGOTTEN 2
#define LAYOUT_NODE_KIND_MEMORY 0
#define LAYOUT_NODE_KIND_EPISODE 1
#define LAYOUT_NODE_KIND_CONCEPT 2
#define LAYOUT_NODE_PHASE_RECENT 0
#define LAYOUT_NODE_PHASE_CONSOLIDATING 1
#define LAYOUT_NODE_PHASE_REMOTE 2
#define LAYOUT_BINDING_KIND_TEMPORAL 0
#define LAYOUT_BINDING_KIND_SESSION 1
#define LAYOUT_BINDING_KIND_SIMILAR 2
#define LAYOUT_BINDING_KIND_ENTITY 3
#define LAYOUT_BINDING_KIND_TAG 4
#define LAYOUT_BINDING_KIND_LINK 5
#define LAYOUT_BINDING_KIND_MEMBER 6
#define LAYOUT_BINDING_KIND_CAUSE 7
#define LAYOUT_BINDING_FLAG_REVERSE 1
#define LAYOUT_QUANTIZATION_F32 0
#define LAYOUT_QUANTIZATION_BF16 1
#define LAYOUT_QUANTIZATION_F16 2
#define LAYOUT_QUANTIZATION_I8 3

/* src/layout/node-header.ts */
struct layout_node_header {
    uint64_t id_hash;
    double timestamp_ms;
    double stored_at_ms;
    double content_at;
    uint32_t content_bytes;
    uint32_t token_count;
    float confidence;
    float vector_norm;
    double forward_at;
    uint64_t tag_bloom;
    uint32_t state;
    uint8_t kind;
    uint8_t phase;
    uint16_t flags;
    double sequence;
    uint32_t bindings_at;
    uint32_t fan_out;
    double last_used_ms;
    uint32_t use_count;
    float stability_hours;
    float importance;
    float valence;
    uint32_t binding_version;
    float last_activation;
    float coherence;
    uint32_t member_count;
};
static_assert(sizeof(struct layout_node_header) == 128, "node_header");
static_assert(offsetof(struct layout_node_header, id_hash) == 0, "node_header.idHash");
static_assert(offsetof(struct layout_node_header, timestamp_ms) == 8, "node_header.timestampMs");
static_assert(offsetof(struct layout_node_header, stored_at_ms) == 16, "node_header.storedAtMs");
static_assert(offsetof(struct layout_node_header, content_at) == 24, "node_header.contentAt");
static_assert(offsetof(struct layout_node_header, content_bytes) == 32, "node_header.contentBytes");
static_assert(offsetof(struct layout_node_header, token_count) == 36, "node_header.tokenCount");
static_assert(offsetof(struct layout_node_header, confidence) == 40, "node_header.confidence");
static_assert(offsetof(struct layout_node_header, vector_norm) == 44, "node_header.vectorNorm");
static_assert(offsetof(struct layout_node_header, forward_at) == 48, "node_header.forwardAt");
static_assert(offsetof(struct layout_node_header, tag_bloom) == 56, "node_header.tagBloom");
static_assert(offsetof(struct layout_node_header, state) == 64, "node_header.state");
static_assert(offsetof(struct layout_node_header, kind) == 68, "node_header.kind");
static_assert(offsetof(struct layout_node_header, phase) == 69, "node_header.phase");
static_assert(offsetof(struct layout_node_header, flags) == 70, "node_header.flags");
static_assert(offsetof(struct layout_node_header, sequence) == 72, "node_header.sequence");
static_assert(offsetof(struct layout_node_header, bindings_at) == 80, "node_header.bindingsAt");
static_assert(offsetof(struct layout_node_header, fan_out) == 84, "node_header.fanOut");
static_assert(offsetof(struct layout_node_header, last_used_ms) == 88, "node_header.lastUsedMs");
static_assert(offsetof(struct layout_node_header, use_count) == 96, "node_header.useCount");
static_assert(offsetof(struct layout_node_header, stability_hours) == 100, "node_header.stabilityHours");
static_assert(offsetof(struct layout_node_header, importance) == 104, "node_header.importance");
static_assert(offsetof(struct layout_node_header, valence) == 108, "node_header.valence");
static_assert(offsetof(struct layout_node_header, binding_version) == 112, "node_header.bindingVersion");
static_assert(offsetof(struct layout_node_header, last_activation) == 116, "node_header.lastActivation");
static_assert(offsetof(struct layout_node_header, coherence) == 120, "node_header.coherence");
static_assert(offsetof(struct layout_node_header, member_count) == 124, "node_header.memberCount");

/* src/layout/binding.ts */
struct layout_binding_extent {
    uint32_t owner;
    uint32_t count;
    uint32_t capacity;
    uint32_t version;
};
static_assert(sizeof(struct layout_binding_extent) == 16, "binding_extent");
static_assert(offsetof(struct layout_binding_extent, owner) == 0, "binding_extent.owner");
static_assert(offsetof(struct layout_binding_extent, count) == 4, "binding_extent.count");
static_assert(offsetof(struct layout_binding_extent, capacity) == 8, "binding_extent.capacity");
static_assert(offsetof(struct layout_binding_extent, version) == 12, "binding_extent.version");

/* src/layout/binding.ts */
struct layout_binding {
    uint32_t target;
    float strength;
    uint32_t last_used_seconds;
    uint8_t kind;
    uint8_t flags;
    uint16_t use_count;
};
static_assert(sizeof(struct layout_binding) == 16, "binding");
static_assert(offsetof(struct layout_binding, target) == 0, "binding.target");
static_assert(offsetof(struct layout_binding, strength) == 4, "binding.strength");
static_assert(offsetof(struct layout_binding, last_used_seconds) == 8, "binding.lastUsedSeconds");
static_assert(offsetof(struct layout_binding, kind) == 12, "binding.kind");
static_assert(offsetof(struct layout_binding, flags) == 13, "binding.flags");
static_assert(offsetof(struct layout_binding, use_count) == 14, "binding.useCount");

/* src/layout/content-record.ts */
struct layout_content_record {
    uint16_t id_bytes;
    uint16_t tag_count;
    uint32_t content_bytes;
    uint32_t metadata_bytes;
    uint32_t tags_bytes;
};
static_assert(sizeof(struct layout_content_record) == 16, "content_record");
static_assert(offsetof(struct layout_content_record, id_bytes) == 0, "content_record.idBytes");
static_assert(offsetof(struct layout_content_record, tag_count) == 2, "content_record.tagCount");
static_assert(offsetof(struct layout_content_record, content_bytes) == 4, "content_record.contentBytes");
static_assert(offsetof(struct layout_content_record, metadata_bytes) == 8, "content_record.metadataBytes");
static_assert(offsetof(struct layout_content_record, tags_bytes) == 12, "content_record.tagsBytes");

/* src/layout/filter.ts */
struct layout_filter {
    double from_ms;
    double to_ms;
    float min_confidence;
    uint32_t tag_count;
    uint64_t tag_bloom;
    uint32_t node_count;
    uint32_t kinds;
    double stored_to_ms;
};
static_assert(sizeof(struct layout_filter) == 48, "filter");
static_assert(offsetof(struct layout_filter, from_ms) == 0, "filter.fromMs");
static_assert(offsetof(struct layout_filter, to_ms) == 8, "filter.toMs");
static_assert(offsetof(struct layout_filter, min_confidence) == 16, "filter.minConfidence");
static_assert(offsetof(struct layout_filter, tag_count) == 20, "filter.tagCount");
static_assert(offsetof(struct layout_filter, tag_bloom) == 24, "filter.tagBloom");
static_assert(offsetof(struct layout_filter, node_count) == 32, "filter.nodeCount");
static_assert(offsetof(struct layout_filter, kinds) == 36, "filter.kinds");
static_assert(offsetof(struct layout_filter, stored_to_ms) == 40, "filter.storedToMs");

/* Every offset and size, for native/layout.c: F(struct, field, name), S(struct). */
#define LAYOUT_FACTS(F, S) \
    F(layout_node_header, id_hash, "node_header.idHash") \
    F(layout_node_header, timestamp_ms, "node_header.timestampMs") \
    F(layout_node_header, stored_at_ms, "node_header.storedAtMs") \
    F(layout_node_header, content_at, "node_header.contentAt") \
    F(layout_node_header, content_bytes, "node_header.contentBytes") \
    F(layout_node_header, token_count, "node_header.tokenCount") \
    F(layout_node_header, confidence, "node_header.confidence") \
    F(layout_node_header, vector_norm, "node_header.vectorNorm") \
    F(layout_node_header, forward_at, "node_header.forwardAt") \
    F(layout_node_header, tag_bloom, "node_header.tagBloom") \
    F(layout_node_header, state, "node_header.state") \
    F(layout_node_header, kind, "node_header.kind") \
    F(layout_node_header, phase, "node_header.phase") \
    F(layout_node_header, flags, "node_header.flags") \
    F(layout_node_header, sequence, "node_header.sequence") \
    F(layout_node_header, bindings_at, "node_header.bindingsAt") \
    F(layout_node_header, fan_out, "node_header.fanOut") \
    F(layout_node_header, last_used_ms, "node_header.lastUsedMs") \
    F(layout_node_header, use_count, "node_header.useCount") \
    F(layout_node_header, stability_hours, "node_header.stabilityHours") \
    F(layout_node_header, importance, "node_header.importance") \
    F(layout_node_header, valence, "node_header.valence") \
    F(layout_node_header, binding_version, "node_header.bindingVersion") \
    F(layout_node_header, last_activation, "node_header.lastActivation") \
    F(layout_node_header, coherence, "node_header.coherence") \
    F(layout_node_header, member_count, "node_header.memberCount") \
    S(layout_node_header, "node_header") \
    F(layout_binding_extent, owner, "binding_extent.owner") \
    F(layout_binding_extent, count, "binding_extent.count") \
    F(layout_binding_extent, capacity, "binding_extent.capacity") \
    F(layout_binding_extent, version, "binding_extent.version") \
    S(layout_binding_extent, "binding_extent") \
    F(layout_binding, target, "binding.target") \
    F(layout_binding, strength, "binding.strength") \
    F(layout_binding, last_used_seconds, "binding.lastUsedSeconds") \
    F(layout_binding, kind, "binding.kind") \
    F(layout_binding, flags, "binding.flags") \
    F(layout_binding, use_count, "binding.useCount") \
    S(layout_binding, "binding") \
    F(layout_content_record, id_bytes, "content_record.idBytes") \
    F(layout_content_record, tag_count, "content_record.tagCount") \
    F(layout_content_record, content_bytes, "content_record.contentBytes") \
    F(layout_content_record, metadata_bytes, "content_record.metadataBytes") \
    F(layout_content_record, tags_bytes, "content_record.tagsBytes") \
    S(layout_content_record, "content_record") \
    F(layout_filter, from_ms, "filter.fromMs") \
    F(layout_filter, to_ms, "filter.toMs") \
    F(layout_filter, min_confidence, "filter.minConfidence") \
    F(layout_filter, tag_count, "filter.tagCount") \
    F(layout_filter, tag_bloom, "filter.tagBloom") \
    F(layout_filter, node_count, "filter.nodeCount") \
    F(layout_filter, kinds, "filter.kinds") \
    F(layout_filter, stored_to_ms, "filter.storedToMs") \
    S(layout_filter, "filter")

#endif
