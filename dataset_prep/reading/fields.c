/* Reads the lines of a block into columns. A line that is not as expected is left out and reported as odd. */
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "eight digits are read at a time, and the first must be in the lowest byte"
#endif

enum kind { SKIP, NUMBER, OPTIONAL, WORD, TIME, SECONDS };
enum { WIDTH = 8, PARTS = 7, FIRST_YEAR = 1900, END_YEAR = 2100 };
static const int64_t BLANK = -1, MOST_SECONDS = 100000000000, BEIJING_OFFSET = 8 * 3600;

/* A field of every line. WORD: text holds n known words, each as its length, its bytes padded to eight, and a mask of
   its own bytes. TIME: text holds n pieces, each two bytes: (number of a part, 0) for two digits, or (PARTS, byte) for
   a literal byte. century, year: of a time without them. values: int64; int8 for WORD. */
struct column {
    int64_t kind, n, century, year;
    const uint8_t *text;
    void *values;
};

typedef const uint8_t *Place; /* the end of a field, or 0 where it is not as expected */

static inline uint64_t eight(Place at) {
    uint64_t word;
    memcpy(&word, at, WIDTH);
    return word;
}

/* How many of eight bytes are digits before the first other byte, and the number they form. */
static inline int digits(uint64_t word, uint64_t *value) {
    word ^= 0x3030303030303030;
    /* A byte that is no digit has, or gets, its high bit. A carry reaches later bytes only, which do not matter. */
    uint64_t other = ((word + 0x7676767676767676) | word) & 0x8080808080808080;
    int n = other ? __builtin_ctzll(other) >> 3 : WIDTH;
    word = n ? word << (64 - 8 * n) : 0;
    /* Join neighbours: digits to numbers below 100, those to numbers below 10,000, those to the whole. */
    word = (word * (10 << 8 | 1) >> 8) & 0x00FF00FF00FF00FF;
    word = (word * (100 << 16 | 1) >> 16) & 0x0000FFFF0000FFFF;
    *value = word * (10000ull << 32 | 1) >> 32;
    return n;
}

/* A number of at most 16 digits. Behind a longer one is no delimiter, so its line is odd. */
static inline Place number(Place at, int64_t *value) {
    static const int64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    uint64_t first, second;
    int n = digits(eight(at), &first);
    if (n == WIDTH) {
        int more = digits(eight(at + WIDTH), &second);
        first = first * tens[more] + second;
        n += more;
    }
    *value = (int64_t)first;
    return n == 0 || (*at == '0' && n > 1) ? 0 : at + n;
}

static inline Place word(Place at, const struct column *column, int8_t *rank) {
    uint64_t here = eight(at);
    Place text = column->text, best = 0;
    for (int64_t n = 0; n < column->n; n++, text += 1 + 2 * WIDTH)
        /* Take the longest word that matches; the next byte then shows whether it is the whole field. */
        if ((here & eight(text + 1 + WIDTH)) == eight(text + 1) && at + *text > best) {
            best = at + *text;
            *rank = (int8_t)n;
        }
    return best;
}

static inline Place time_of(Place at, const struct column *column, int64_t *seconds) {
    static const int before[] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    unsigned part[PARTS] = {column->century, column->year, 1, 1, 0, 0, 0}, odd = 0;
    Place piece = column->text;
    for (int64_t n = 0; n < column->n; n++, piece += 2) {
        if (piece[0] == PARTS) {
            odd |= *at++ ^ piece[1];
            continue;
        }
        unsigned tens = at[0] - '0', ones = at[1] - '0';
        odd |= (tens > 9) | (ones > 9);
        part[piece[0]] = tens * 10 + ones;
        at += 2;
    }
    int year = part[0] * 100 + part[1], month = part[2], day = part[3];
    if (odd || year < FIRST_YEAR || year >= END_YEAR || month > 12 || day < 1) return 0; /* no day is in month 0 */
    int leap = year % 4 == 0 && year != FIRST_YEAR; /* 2000 was one */
    if (day > before[month + 1] - before[month] + (leap && month == 2)) return 0;
    if (part[4] > 23 || part[5] > 59 || part[6] > 59) return 0;
    int leaps = (year - 1901) / 4 - 17; /* leap days from 1970 to the year before; (year - 1901) / 4 is 17 for 1970 */
    int64_t days = (year - 1970) * 365 + leaps + before[month] + (leap && month > 2) + day - 1;
    *seconds = ((days * 24 + part[4]) * 60 + part[5]) * 60 + part[6] - BEIJING_OFFSET;
    return at;
}

/* Printable ASCII without quotes, up to the delimiter. */
static inline Place skip(Place at, uint8_t delimiter) {
    while (*at >= ' ' && *at < 127 && *at != '"' && *at != delimiter) at++;
    return at;
}

static inline Place field(Place at, const struct column *column, int64_t row, uint8_t delimiter) {
    int64_t *value = (int64_t *)column->values + row;
    switch (column->kind) {
    case OPTIONAL:
        if (*at == delimiter || *at == '\n' || *at == '\r') {
            *value = BLANK;
            return at;
        }
        return number(at, value);
    case NUMBER: return number(at, value);
    case SECONDS: at = number(at, value); return at && *value < MOST_SECONDS ? at : 0;
    case WORD: return word(at, column, (int8_t *)column->values + row);
    case TIME: return time_of(at, column, value);
    default: return skip(at, delimiter);
    }
}

/* Reads size bytes of lines, each with its line feed; 32 bytes behind them can be read.

   odd: three numbers for each odd line: its number from 0, where it begins, where its line feed is. counts: rows, lines,
   odd lines. Returns -1 if there are more odd lines than most, else 0. */
int64_t read_lines(Place buffer, int64_t size, int64_t delimiter, int64_t longest, const struct column *columns,
                   int64_t n_columns, int64_t *odd, int64_t most, int64_t *counts) {
    int64_t row = 0, line = 0, n_odd = 0;
    for (Place at = buffer, stop = buffer + size, next; at < stop; at = next, line++) {
        Place here = at, feed;
        for (int64_t n = 0; n < n_columns && here; n++) {
            here = field(here, columns + n, row, (uint8_t)delimiter);
            if (here && n + 1 < n_columns) here = *here == delimiter ? here + 1 : 0;
        }
        feed = here ? here + (*here == '\r') : at;
        int good = here && *feed == '\n' && feed - at <= longest;
        if (!good) {
            if (n_odd == most) return -1;
            feed = memchr(at, '\n', stop - at);
            int64_t where[] = {line, at - buffer, feed - buffer};
            memcpy(odd + 3 * n_odd++, where, sizeof where);
        }
        row += good;
        next = feed + 1;
    }
    counts[0] = row, counts[1] = line, counts[2] = n_odd;
    return 0;
}
