/* Generated from src/layout by src/build/layout-header.ts. Change the layout there, then run it. */
#ifndef ENGRAM_LAYOUT_H
#define ENGRAM_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define LAYOUT_CACHE_LINE_BYTES 64
#define LAYOUT_FILTER_TAGS_MAX 32
#define LAYOUT_NODE_STATE_FREE 0
#define LAYOUT_NODE_STATE_LIVE 1
#define LAYOUT_NODE_STATE_FORGOTTEN 2
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
    uint8_t unused_0[4];
    double sequence;
    uint8_t unused_1[48];
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
static_assert(offsetof(struct layout_node_header, sequence) == 72, "node_header.sequence");

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
    uint8_t unused_0[4];
};
static_assert(sizeof(struct layout_filter) == 40, "filter");
static_assert(offsetof(struct layout_filter, from_ms) == 0, "filter.fromMs");
static_assert(offsetof(struct layout_filter, to_ms) == 8, "filter.toMs");
static_assert(offsetof(struct layout_filter, min_confidence) == 16, "filter.minConfidence");
static_assert(offsetof(struct layout_filter, tag_count) == 20, "filter.tagCount");
static_assert(offsetof(struct layout_filter, tag_bloom) == 24, "filter.tagBloom");
static_assert(offsetof(struct layout_filter, node_count) == 32, "filter.nodeCount");

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
    F(layout_node_header, sequence, "node_header.sequence") \
    S(layout_node_header, "node_header") \
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
    S(layout_filter, "filter")

#endif
