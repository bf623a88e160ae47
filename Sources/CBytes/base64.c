// After Wojciech Mula and Daniel Lemire, "Faster Base64 Encoding and Decoding using AVX2 Instructions" (2018):
// https://arxiv.org/abs/1704.00605, section 3.
#include "CBytes.h"

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2")))
static size_t encode(const uint8_t *source, size_t count, uint8_t *target) {
    // Twelve bytes of each half as four groups of three, each group in a word as b a c b.
    const __m256i spread = _mm256_setr_epi8(
        1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
    // What is added to a value of six bits to make it a digit: a-z, ten times 0-9, +, /, A-Z.
    const __m256i shifts = _mm256_setr_epi8(
        71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0,
        71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0);
    size_t taken = 0;
    // The second load reads 16 bytes from the twelfth on.
    while (count - taken >= 28) {
        const __m128i low = _mm_loadu_si128((const __m128i *)(source + taken));
        const __m128i high = _mm_loadu_si128((const __m128i *)(source + taken + 12));
        const __m256i groups = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), spread);
        // Four values of six bits, each in a byte of its own: the first and third, then the second and fourth.
        const __m256i odd =
            _mm256_mulhi_epu16(_mm256_and_si256(groups, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
        const __m256i even =
            _mm256_mullo_epi16(_mm256_and_si256(groups, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
        const __m256i values = _mm256_or_si256(odd, even);
        // 0 for a-z, 1 to 10 for 0-9, 11 and 12 for + and /, 13 for A-Z.
        const __m256i isUpper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values);
        const __m256i kind = _mm256_or_si256(
            _mm256_subs_epu8(values, _mm256_set1_epi8(51)), _mm256_and_si256(isUpper, _mm256_set1_epi8(13)));
        const __m256i digits = _mm256_add_epi8(_mm256_shuffle_epi8(shifts, kind), values);
        _mm256_storeu_si256((__m256i *)(target + taken / 3 * 4), digits);
        taken += 24;
    }
    return taken;
}

size_t sluice_base64_bulk(const uint8_t *source, size_t count, uint8_t *target) {
    return __builtin_cpu_supports("avx2") ? encode(source, count, target) : 0;
}
#else
size_t sluice_base64_bulk(const uint8_t *source, size_t count, uint8_t *target) {
    (void)source, (void)count, (void)target;
    return 0;
}
#endif
