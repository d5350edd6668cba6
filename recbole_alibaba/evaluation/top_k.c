/* The k best items of each user, kept while the scores come tile by tile. */
#include <math.h>
#include <stdint.h>
#include <string.h>

/* Scores that are compared with a bound at once, by the widest vector instructions of the processor. */
enum { BLOCK = 64 };
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDEST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDEST
#endif

/* Score and item as one number: the better is larger, and of equal scores the lower id is better. */
static int64_t key_of(float score, int64_t item) {
    int32_t bits;
    score += 0.0f; /* -0 becomes 0 */
    memcpy(&bits, &score, sizeof bits);
    return (int64_t)(bits ^ (bits >> 31 & INT32_MAX)) * ((int64_t)1 << 32) + (UINT32_MAX - item);
}

static float score_of(int64_t key) {
    int32_t bits = (int32_t)(key >> 32);
    float score;
    bits ^= bits >> 31 & INT32_MAX;
    memcpy(&score, &bits, sizeof score);
    return score;
}

/* Puts a key into a heap of k in place of the worst, which stands first. */
static void replace_worst(int64_t *heap, int64_t k, int64_t key) {
    int64_t at = 0, below;
    while ((below = 2 * at + 1) < k) {
        if (below + 1 < k)
            below += heap[below + 1] < heap[below];
        if (heap[below] >= key)
            break;
        heap[at] = heap[below];
        at = below;
    }
    heap[at] = key;
}

/* Reads the scores (n, width) of the items from first on; the next tile of the same users continues. Each user has a
   heap of k. Item 0 and the hidden items do not count, nor does NaN. The hidden items of a row ascend; those that
   this tile may hold stand from next[row] to ends[row]. */
WIDEST void scan(const float *scores, int64_t n, int64_t width, int64_t first, int64_t *heaps, int64_t k,
          const int64_t *hidden, int64_t *next, const int64_t *ends) {
    for (int64_t row = 0; row < n; row++, scores += width, heaps += k) {
        int64_t at = next[row], end = ends[row];
        if (first == 0)
            for (int64_t j = 0; j < k; j++)
                heaps[j] = key_of(-INFINITY, 0);
        float bound = score_of(heaps[0]);
        for (int64_t from = 0; from < width; from += BLOCK) {
            int64_t some = width - from < BLOCK ? width - from : BLOCK;
            if (some == BLOCK) {
                int any = 0;
                for (int64_t j = 0; j < BLOCK; j++)
                    any |= scores[from + j] > bound;
                if (!any)
                    continue;
            }
            uint64_t above = 0;
            for (int64_t j = 0; j < some; j++)
                above |= (uint64_t)(scores[from + j] > bound) << j;
            for (; above; above &= above - 1) {
                int64_t j = from + __builtin_ctzll(above), item = first + j;
                if (!(scores[j] > bound))
                    continue;
                while (at < end && hidden[at] < item)
                    at++;
                if (item > 0 && (at == end || hidden[at] > item)) {
                    replace_worst(heaps, k, key_of(scores[j], item));
                    bound = score_of(heaps[0]);
                }
            }
        }
        next[row] = at;
    }
}

/* Empties the n heaps into items and scores (n, k): the best first. */
void sort(int64_t *heaps, int64_t n, int64_t k, int64_t *items, float *scores) {
    for (int64_t row = 0; row < n; row++, heaps += k, items += k, scores += k)
        for (int64_t last = k - 1; last >= 0; last--) {
            int64_t worst = heaps[0];
            items[last] = UINT32_MAX - (worst & UINT32_MAX);
            scores[last] = score_of(worst);
            replace_worst(heaps, last, heaps[last]);
        }
}
