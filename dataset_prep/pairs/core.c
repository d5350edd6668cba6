/* Degrees of users and items, and one pass over all pairs on the way to their core. */
#include <stdint.h>

/* Degrees are fetched this many pairs ahead, so that the processor does not wait for them. */
enum { AHEAD = 24 };

void count(const int32_t *codes, int64_t n, int32_t *degrees) {
    for (int64_t k = 0; k < n; k++)
        degrees[codes[k]]++;
}

/* Removes the pairs of a user or item with fewer partners than least, and lowers both degrees at once, so that later
   pairs see it. The others go, in their order, to left, which may be the same arrays as pairs. Returns their number. */
int64_t peel(const int32_t *const pairs[2], int64_t n, int32_t *const degrees[2], const int32_t least[2],
             int32_t *const left[2]) {
    int32_t *of_users = degrees[0], *of_items = degrees[1];
    int64_t kept = 0;
    for (int64_t k = 0; k < n; k++) {
        int32_t user = pairs[0][k], item = pairs[1][k];
        if (k + AHEAD < n)
            __builtin_prefetch(&of_items[pairs[1][k + AHEAD]], 1);
        if (of_users[user] < least[0] || of_items[item] < least[1]) {
            of_users[user]--;
            of_items[item]--;
        } else {
            left[0][kept] = user;
            left[1][kept++] = item;
        }
    }
    return kept;
}
