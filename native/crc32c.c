/* CRC32C (Castagnoli, reflected polynomial 0x82f63b78), the checksum of log records and checkpoints.
 *
 * Both x86-64 (SSE4.2) and arm64 have an instruction that takes 8 bytes, one every cycle, but answers after
 * three: three streams are run side by side and joined. Joining means moving a checksum over the bytes of
 * the next stream as if they were zeros, which is linear in the checksum's bits, so for a fixed stream length
 * it is four table look-ups (the method of Mark Adler's crc32c.c). Two lengths are used: 1,024 bytes for bulk,
 * 128 for what is left. Processors without the instruction use the plain slice-by-8 tables.
 *
 * crc(a + b) == crc(extend crc(a) by b): the seed of a call is the answer of the one before, 0 to begin. */
#include "shim.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define HARDWARE_CRC __attribute__((target("sse4.2")))
#define CRC_U64(crc, word) ((uint32_t)_mm_crc32_u64((crc), (word)))
#define CRC_U8(crc, byte) _mm_crc32_u8((crc), (byte))
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
#define HARDWARE_CRC __attribute__((target("+crc")))
#define CRC_U64(crc, word) __crc32cd((crc), (word))
#define CRC_U8(crc, byte) __crc32cb((crc), (byte))
#endif

#define POLYNOMIAL 0x82f63b78u
#define LONG_BYTES 1024u
#define SHORT_BYTES 128u

static uint32_t slices[8][256];       /* slices[k][b]: checksum of byte b followed by k zero bytes */
static uint32_t skip_long[4][256];    /* moves a checksum over LONG_BYTES zeros, one table per byte of it */
static uint32_t skip_short[4][256];   /* the same for SHORT_BYTES */
static int has_instruction;

static uint32_t checksum_serial(uint32_t crc, const uint8_t *data, uint64_t bytes) {
    while (bytes > 0 && ((uintptr_t)data & 7) != 0) {
        crc = (crc >> 8) ^ slices[0][(crc ^ *data++) & 255];
        bytes--;
    }
    for (; bytes >= 8; bytes -= 8, data += 8) {
        uint64_t word;
        memcpy(&word, data, 8); /* Little-endian, as are both architectures this is built for. */
        word ^= crc;
        crc = slices[7][word & 255] ^ slices[6][(word >> 8) & 255] ^ slices[5][(word >> 16) & 255] ^
              slices[4][(word >> 24) & 255] ^ slices[3][(word >> 32) & 255] ^ slices[2][(word >> 40) & 255] ^
              slices[1][(word >> 48) & 255] ^ slices[0][word >> 56];
    }
    while (bytes-- > 0) crc = (crc >> 8) ^ slices[0][(crc ^ *data++) & 255];
    return crc;
}

static inline uint32_t skip(const uint32_t table[4][256], uint32_t crc) {
    return table[0][crc & 255] ^ table[1][(crc >> 8) & 255] ^ table[2][(crc >> 16) & 255] ^ table[3][crc >> 24];
}

#ifdef HARDWARE_CRC
static inline uint64_t word_at(const uint8_t *data) {
    uint64_t word;
    memcpy(&word, data, 8);
    return word;
}

/* Three streams of `stream_bytes` each, joined. */
HARDWARE_CRC static inline uint32_t
checksum_triple(uint32_t crc, const uint8_t *data, uint32_t stream_bytes, const uint32_t table[4][256]) {
    uint32_t second = 0, third = 0;
    for (uint32_t at = 0; at < stream_bytes; at += 8) {
        crc = CRC_U64(crc, word_at(data + at));
        second = CRC_U64(second, word_at(data + at + stream_bytes));
        third = CRC_U64(third, word_at(data + at + 2 * stream_bytes));
    }
    crc = skip(table, crc) ^ second;
    return skip(table, crc) ^ third;
}

HARDWARE_CRC static uint32_t checksum_hardware(uint32_t crc, const uint8_t *data, uint64_t bytes) {
    while (bytes > 0 && ((uintptr_t)data & 7) != 0) {
        crc = CRC_U8(crc, *data++);
        bytes--;
    }
    for (; bytes >= 3 * LONG_BYTES; bytes -= 3 * LONG_BYTES, data += 3 * LONG_BYTES)
        crc = checksum_triple(crc, data, LONG_BYTES, skip_long);
    for (; bytes >= 3 * SHORT_BYTES; bytes -= 3 * SHORT_BYTES, data += 3 * SHORT_BYTES)
        crc = checksum_triple(crc, data, SHORT_BYTES, skip_short);
    for (; bytes >= 8; bytes -= 8, data += 8) crc = CRC_U64(crc, word_at(data));
    while (bytes-- > 0) crc = CRC_U8(crc, *data++);
    return crc;
}
#endif

/* Extend checksum `crc` (0 to begin) by `bytes` at `data`. Never fails. 0.07 ns a byte with the
 * instruction, 0.7 by tables (bench/ffi/calls.bench.ts). */
SHIM_EXPORT uint32_t shim_crc32c(uint32_t crc, const uint8_t *data, uint64_t bytes) {
#ifdef HARDWARE_CRC
    if (has_instruction) return ~checksum_hardware(~crc, data, bytes);
#endif
    return ~checksum_serial(~crc, data, bytes);
}

/* The same by tables alone: what processors without the instruction run, and what tests compare with. */
SHIM_EXPORT uint32_t shim_crc32c_serial(uint32_t crc, const uint8_t *data, uint64_t bytes) {
    return ~checksum_serial(~crc, data, bytes);
}

/* 1 when this processor has the instruction. */
SHIM_EXPORT int32_t shim_crc32c_hardware(void) { return has_instruction; }

/* The move is linear, so only the 32 single bits are stepped over the zeros, and the rest are their sums:
 * 0.1 ms for both tables, where stepping all 2,048 entries would take 3 ms of every start. */
static void make_skip(uint32_t table[4][256], uint32_t zero_bytes) {
    for (uint32_t place = 0; place < 4; place++) {
        table[place][0] = 0;
        for (uint32_t bit = 0; bit < 8; bit++) {
            uint32_t crc = 1u << (8 * place + bit);
            for (uint32_t i = 0; i < zero_bytes; i++) crc = (crc >> 8) ^ slices[0][crc & 255];
            for (uint32_t low = 0; low < (1u << bit); low++) table[place][(1u << bit) + low] = crc ^ table[place][low];
        }
    }
}

__attribute__((constructor)) static void make_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? POLYNOMIAL : 0);
        slices[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int k = 1; k < 8; k++) slices[k][byte] = (slices[k - 1][byte] >> 8) ^ slices[0][slices[k - 1][byte] & 255];
    make_skip(skip_long, LONG_BYTES);
    make_skip(skip_short, SHORT_BYTES);
#if defined(__x86_64__)
    __builtin_cpu_init();
    has_instruction = __builtin_cpu_supports("sse4.2") != 0;
#elif defined(__aarch64__)
    has_instruction = (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#endif
}
