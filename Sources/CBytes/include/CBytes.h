// Two loops over bytes that the shipper spends most of its time in, with the vector instructions that Swift cannot choose
// at run time (AVX2). On a machine without them they do nothing, and the caller's own code does the work. No allocation,
// no state, nothing beyond the lengths that are given.
#ifndef SLUICE_CBYTES_H
#define SLUICE_CBYTES_H

#include <stddef.h>
#include <stdint.h>

/// Writes the base64 (RFC 4648 section 4) of the first bytes of `source` to `target` and gives how many bytes it took: a
/// multiple of 24, which leaves at least 4 and at most 27 of them, or 0. For each 24 it wrote 32, and touches no others.
size_t sluice_base64_bulk(const uint8_t *source, size_t count, uint8_t *target);

/// Messages that `sluice_md5_blocks` takes at once.
enum { SLUICE_MD5_LANES = 8 };

/// Takes `count` blocks of 64 bytes of each of eight messages into their MD5 states, four words each (A, B, C and D of
/// RFC 1321 section 3.4). Gives 0, and has done nothing, where the machine cannot. Two lanes may be the same message.
int sluice_md5_blocks(uint32_t *states, const uint8_t *const *messages, size_t count);

#endif
