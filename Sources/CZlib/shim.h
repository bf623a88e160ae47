// zlib for Swift. Macros that compute do not import, so the few that Gzip needs are inline functions. No logic.
#include <stddef.h>
#include <zlib.h>

// Raw deflate: no header, no trailer, 32 KiB window (RFC 1951).
static inline int sluice_deflate_init_raw(z_stream *stream, int level, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, -MAX_WBITS, memory_level, Z_DEFAULT_STRATEGY);
}

// gzip (RFC 1952).
static inline int sluice_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, MAX_WBITS + 16); }

// zlib (RFC 1950).
static inline int sluice_inflate_init_zlib(z_stream *stream) { return inflateInit2(stream, MAX_WBITS); }

// CRC-32 over any size; crc32() itself takes 32 bits of length.
static inline unsigned int sluice_crc32(unsigned int crc, const void *bytes, size_t count) {
    return (unsigned int)crc32_z(crc, (const unsigned char *)bytes, count);
}
