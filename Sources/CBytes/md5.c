// MD5 (RFC 1321) of eight messages at once: its steps wait for each other, so one message leaves most of a core unused. A
// lane of each vector belongs to one message.
#include "CBytes.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define ADD(x, y) _mm256_add_epi32(x, y)
#define XOR(x, y) _mm256_xor_si256(x, y)
#define AND(x, y) _mm256_and_si256(x, y)
#define OR(x, y) _mm256_or_si256(x, y)
// The functions of section 3.4; F and G in a form with one operation less.
#define F(x, y, z) XOR(z, AND(x, XOR(y, z)))
#define G(x, y, z) XOR(y, AND(z, XOR(x, y)))
#define H(x, y, z) XOR(XOR(x, y), z)
#define I(x, y, z) XOR(y, OR(x, XOR(z, _mm256_set1_epi32(-1))))
#define ROTATE(x, s) OR(_mm256_slli_epi32(x, s), _mm256_srli_epi32(x, 32 - (s)))
#define STEP(f, a, b, c, d, k, t, s) \
    a = ADD(a, ADD(ADD(words[k], _mm256_set1_epi32((int)t)), f(b, c, d))), a = ADD(b, ROTATE(a, s))

/// Eight words of each of eight messages: word i of all messages becomes `words[i]`.
__attribute__((target("avx2")))
static inline void load(const uint8_t *const *messages, size_t offset, __m256i words[8]) {
    __m256i rows[8], pairs[8], quads[8];
    for (int i = 0; i < 8; i++) rows[i] = _mm256_loadu_si256((const __m256i *)(messages[i] + offset));
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        quads[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
        quads[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
        quads[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
        quads[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        words[i] = _mm256_permute2x128_si256(quads[i], quads[i + 4], 0x20);
        words[i + 4] = _mm256_permute2x128_si256(quads[i], quads[i + 4], 0x31);
    }
}

__attribute__((target("avx2")))
static void take(uint32_t *states, const uint8_t *const *messages, size_t count) {
    __m256i a, b, c, d, words[16];
    uint32_t lanes[4][8];
    for (int i = 0; i < 8; i++) for (int j = 0; j < 4; j++) lanes[j][i] = states[4 * i + j];
    a = _mm256_loadu_si256((const __m256i *)lanes[0]);
    b = _mm256_loadu_si256((const __m256i *)lanes[1]);
    c = _mm256_loadu_si256((const __m256i *)lanes[2]);
    d = _mm256_loadu_si256((const __m256i *)lanes[3]);
    for (size_t block = 0; block < count; block++) {
        const __m256i a0 = a, b0 = b, c0 = c, d0 = d;
        load(messages, 64 * block, words);
        load(messages, 64 * block + 32, words + 8);
        // Round 1.
        STEP(F, a, b, c, d, 0, 0xd76aa478, 7); STEP(F, d, a, b, c, 1, 0xe8c7b756, 12);
        STEP(F, c, d, a, b, 2, 0x242070db, 17); STEP(F, b, c, d, a, 3, 0xc1bdceee, 22);
        STEP(F, a, b, c, d, 4, 0xf57c0faf, 7); STEP(F, d, a, b, c, 5, 0x4787c62a, 12);
        STEP(F, c, d, a, b, 6, 0xa8304613, 17); STEP(F, b, c, d, a, 7, 0xfd469501, 22);
        STEP(F, a, b, c, d, 8, 0x698098d8, 7); STEP(F, d, a, b, c, 9, 0x8b44f7af, 12);
        STEP(F, c, d, a, b, 10, 0xffff5bb1, 17); STEP(F, b, c, d, a, 11, 0x895cd7be, 22);
        STEP(F, a, b, c, d, 12, 0x6b901122, 7); STEP(F, d, a, b, c, 13, 0xfd987193, 12);
        STEP(F, c, d, a, b, 14, 0xa679438e, 17); STEP(F, b, c, d, a, 15, 0x49b40821, 22);
        // Round 2.
        STEP(G, a, b, c, d, 1, 0xf61e2562, 5); STEP(G, d, a, b, c, 6, 0xc040b340, 9);
        STEP(G, c, d, a, b, 11, 0x265e5a51, 14); STEP(G, b, c, d, a, 0, 0xe9b6c7aa, 20);
        STEP(G, a, b, c, d, 5, 0xd62f105d, 5); STEP(G, d, a, b, c, 10, 0x02441453, 9);
        STEP(G, c, d, a, b, 15, 0xd8a1e681, 14); STEP(G, b, c, d, a, 4, 0xe7d3fbc8, 20);
        STEP(G, a, b, c, d, 9, 0x21e1cde6, 5); STEP(G, d, a, b, c, 14, 0xc33707d6, 9);
        STEP(G, c, d, a, b, 3, 0xf4d50d87, 14); STEP(G, b, c, d, a, 8, 0x455a14ed, 20);
        STEP(G, a, b, c, d, 13, 0xa9e3e905, 5); STEP(G, d, a, b, c, 2, 0xfcefa3f8, 9);
        STEP(G, c, d, a, b, 7, 0x676f02d9, 14); STEP(G, b, c, d, a, 12, 0x8d2a4c8a, 20);
        // Round 3.
        STEP(H, a, b, c, d, 5, 0xfffa3942, 4); STEP(H, d, a, b, c, 8, 0x8771f681, 11);
        STEP(H, c, d, a, b, 11, 0x6d9d6122, 16); STEP(H, b, c, d, a, 14, 0xfde5380c, 23);
        STEP(H, a, b, c, d, 1, 0xa4beea44, 4); STEP(H, d, a, b, c, 4, 0x4bdecfa9, 11);
        STEP(H, c, d, a, b, 7, 0xf6bb4b60, 16); STEP(H, b, c, d, a, 10, 0xbebfbc70, 23);
        STEP(H, a, b, c, d, 13, 0x289b7ec6, 4); STEP(H, d, a, b, c, 0, 0xeaa127fa, 11);
        STEP(H, c, d, a, b, 3, 0xd4ef3085, 16); STEP(H, b, c, d, a, 6, 0x04881d05, 23);
        STEP(H, a, b, c, d, 9, 0xd9d4d039, 4); STEP(H, d, a, b, c, 12, 0xe6db99e5, 11);
        STEP(H, c, d, a, b, 15, 0x1fa27cf8, 16); STEP(H, b, c, d, a, 2, 0xc4ac5665, 23);
        // Round 4.
        STEP(I, a, b, c, d, 0, 0xf4292244, 6); STEP(I, d, a, b, c, 7, 0x432aff97, 10);
        STEP(I, c, d, a, b, 14, 0xab9423a7, 15); STEP(I, b, c, d, a, 5, 0xfc93a039, 21);
        STEP(I, a, b, c, d, 12, 0x655b59c3, 6); STEP(I, d, a, b, c, 3, 0x8f0ccc92, 10);
        STEP(I, c, d, a, b, 10, 0xffeff47d, 15); STEP(I, b, c, d, a, 1, 0x85845dd1, 21);
        STEP(I, a, b, c, d, 8, 0x6fa87e4f, 6); STEP(I, d, a, b, c, 15, 0xfe2ce6e0, 10);
        STEP(I, c, d, a, b, 6, 0xa3014314, 15); STEP(I, b, c, d, a, 13, 0x4e0811a1, 21);
        STEP(I, a, b, c, d, 4, 0xf7537e82, 6); STEP(I, d, a, b, c, 11, 0xbd3af235, 10);
        STEP(I, c, d, a, b, 2, 0x2ad7d2bb, 15); STEP(I, b, c, d, a, 9, 0xeb86d391, 21);
        a = ADD(a, a0);
        b = ADD(b, b0);
        c = ADD(c, c0);
        d = ADD(d, d0);
    }
    _mm256_storeu_si256((__m256i *)lanes[0], a);
    _mm256_storeu_si256((__m256i *)lanes[1], b);
    _mm256_storeu_si256((__m256i *)lanes[2], c);
    _mm256_storeu_si256((__m256i *)lanes[3], d);
    for (int i = 0; i < 8; i++) for (int j = 0; j < 4; j++) states[4 * i + j] = lanes[j][i];
}

int sluice_md5_blocks(uint32_t *states, const uint8_t *const *messages, size_t count) {
    if (!__builtin_cpu_supports("avx2")) return 0;
    take(states, messages, count);
    return 1;
}
#else
int sluice_md5_blocks(uint32_t *states, const uint8_t *const *messages, size_t count) {
    (void)states, (void)messages, (void)count;
    return 0;
}
#endif
