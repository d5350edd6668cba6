/* One look at all pairs of users and items, on the way to their core. */
#include <stdint.h>

/* The processor would wait for a degree it did not foresee; this far ahead it is on its way. */
enum { AHEAD = 24 };

void count(const int32_t *codes, int64_t n, int32_t *degrees) {
    for (int64_t k = 0; k < n; k++)
        degrees[codes[k]]++;
}

/* Takes out the pairs of a user or item that has too few, and counts them off both at once, so that those that follow
   know. The rest go, in their order, to left, which may be where the pairs are; returns how many these are. */
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
