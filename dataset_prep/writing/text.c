/* Rows of a table as text: a tab between the columns, a line feed after the row. */
#include <stdint.h>
#include <string.h>

static const int64_t BLANK = -1, FIRST_WORD = -2;

/* The value of a row is values[row], or values[codes[row]] where there are codes. Without words it is a number. With
   words, BLANK is nothing, FIRST_WORD - k is word k, from ends[k] to ends[k + 1] in words, and 0 or more a number. */
struct column {
    const int64_t *values;
    const int32_t *codes;
    const uint8_t *words;
    const int64_t *ends;
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

static uint8_t *field(uint8_t *to, const struct column *column, int64_t row) {
    int64_t value = column->values[column->codes ? column->codes[row] : row];
    if (!column->words || value >= 0)
        return number(to, value);
    if (value == BLANK)
        return to;
    int64_t begin = column->ends[FIRST_WORD - value], n = column->ends[FIRST_WORD - value + 1] - begin;
    memcpy(to, column->words + begin, n);
    return to + n;
}

/* The rows from first up to last, into text, which must have room for them. Returns the number of bytes. */
int64_t write_rows(const struct column *columns, int64_t n_columns, int64_t first, int64_t last, uint8_t *text) {
    uint8_t *to = text;
    for (int64_t row = first; row < last; row++) {
        for (const struct column *column = columns; column < columns + n_columns; column++) {
            to = field(to, column, row);
            *to++ = '\t';
        }
        to[-1] = '\n';
    }
    return to - text;
}
