/* Rows of a table as text: a tab between the columns, a line feed behind the row. */
#include <stdint.h>
#include <string.h>

enum { WORD = 32 };

/* Whole numbers; or, where words are given, numbers of words, each its length and its bytes in so many as WORD. */
struct column {
    const int64_t *numbers;
    const int8_t *chosen;
    const uint8_t *words;
};

static uint8_t *number(uint8_t *to, int64_t value) {
    uint8_t digits[20], *first = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--first = '0' + rest % 10;
    while (rest /= 10);
    if (value < 0)
        *to++ = '-';
    int64_t n = digits + sizeof digits - first;
    memcpy(to, first, n);
    return to + n;
}

static uint8_t *word(uint8_t *to, const uint8_t *chosen) {
    memcpy(to, chosen + 1, WORD - 1);
    return to + chosen[0];
}

/* The rows from first up to last, into text, where each has room for 21 bytes a number and WORD a word; returns how
   many bytes these are. */
int64_t write_rows(const struct column *columns, int64_t n_columns, int64_t first, int64_t last, uint8_t *text) {
    uint8_t *to = text;
    for (int64_t row = first; row < last; row++) {
        for (const struct column *column = columns; column < columns + n_columns; column++) {
            to = column->words ? word(to, column->words + WORD * column->chosen[row]) : number(to, column->numbers[row]);
            *to++ = '\t';
        }
        to[-1] = '\n';
    }
    return to - text;
}
