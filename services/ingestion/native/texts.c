/* Texts: UTF-8 as Python decodes it, lengths in characters, control characters, identity numbers inside. */
#include <Python.h>

#include "judging.h"

bool text_is(Text text, const char *word) {
    return text_equals(text, (Text){(const uint8_t *)word, strlen(word)});
}

bool text_holds(Text text, Text part) {
    for (size_t at = 0; at + part.size <= text.size; at++) {
        if (memcmp(text.at + at, part.at, part.size) == 0) {
            return true;
        }
    }
    return false;
}

static bool follows(uint8_t byte) { return (byte & 0xC0) == 0x80; }

/* The length of the well-formed sequence of 2 to 4 bytes at `at`, or 0 (Unicode 15, table 3-7). */
static size_t sequence(const uint8_t *at, const uint8_t *end) {
    size_t left = (size_t)(end - at);
    uint8_t first = at[0];
    if (first >= 0xE1 && first <= 0xEF) {
        bool well = left >= 3 && follows(at[1]) && follows(at[2]) && !(first == 0xED && at[1] > 0x9F);
        return well ? 3 : 0;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return left >= 2 && follows(at[1]) ? 2 : 0;
    }
    if (first == 0xE0) {
        return left >= 3 && at[1] >= 0xA0 && at[1] <= 0xBF && follows(at[2]) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        bool well = left >= 4 && follows(at[1]) && follows(at[2]) && follows(at[3]);
        return well && !(first == 0xF0 && at[1] < 0x90) && !(first == 0xF4 && at[1] > 0x8F) ? 4 : 0;
    }
    return 0;
}

static Py_UCS4 character(const uint8_t *at, size_t size) {
    static const uint8_t MASK[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    Py_UCS4 code = at[0] & MASK[size];
    for (size_t i = 1; i < size; i++) {
        code = code << 6 | (at[i] & 0x3F);
    }
    return code;
}

static bool two_digits_between(const uint8_t *at, int low, int high) {
    int number = (at[0] - '0') * 10 + at[1] - '0';
    return low <= number && number <= high;
}

/* As `holds_identity_number` has it: by province, year, date and check character. */
static bool is_identity_number(const uint8_t *number) {
    static const uint8_t PROVINCES[][2] = {{11, 15}, {21, 23}, {31, 37}, {41, 46}, {50, 54}, {61, 65}, {71, 71}, {81, 83}};
    int year = (number[6] - '0') * 1000 + (number[7] - '0') * 100 + (number[8] - '0') * 10 + number[9] - '0';
    if (year < 1850 || year > 2100) {
        return false;
    }
    for (size_t i = 0; i < sizeof PROVINCES / sizeof PROVINCES[0]; i++) {
        if (two_digits_between(number, PROVINCES[i][0], PROVINCES[i][1])) {
            return is_resident_id(number);
        }
    }
    return false;
}

/* Whether a run of `digits` (some full-width if `wide`) that ends at `at` may be an identity number. */
static bool may_be_identity_number(const uint8_t *at, const uint8_t *end, size_t digits, bool wide) {
    static const uint8_t WIDE_X[2][3] = {{0xEF, 0xBC, 0xB8}, {0xEF, 0xBD, 0x98}};
    uint8_t number[18];
    if (digits == 18) {
        if (wide) {
            return true;
        }
        memcpy(number, at - 18, 18);
        return is_identity_number(number);
    }
    if (digits != 17 || at == end) {
        return false;
    }
    if (end - at >= 3 && (memcmp(at, WIDE_X[0], 3) == 0 || memcmp(at, WIDE_X[1], 3) == 0)) {
        return true;
    }
    if (*at != 'X' && *at != 'x') {
        return false;
    }
    if (wide) {
        return true;
    }
    memcpy(number, at - 17, 17);
    number[17] = 'X';
    return is_identity_number(number);
}

/* U+0080–9F, U+FEFF, U+FFFE and U+FFFF; ASCII is looked up. */
static bool is_wide_control(const uint8_t *at, size_t size) {
    if (size == 2) {
        return at[0] == 0xC2 && at[1] < 0xA0;
    }
    return size == 3 && at[0] == 0xEF && ((at[1] == 0xBB && at[2] == 0xBF) || (at[1] == 0xBF && at[2] >= 0xBE));
}

bool text_fits(Text text, uint32_t most, unsigned flags) {
    const uint8_t *at = text.at, *end = at + text.size;
    size_t characters = 0, digits = 0, size;
    bool wide = false;
    for (; at < end; at += size, characters++) {
        uint8_t byte = *at;
        size = 1;
        if (byte >= '0' && byte <= '9') {
            digits++;
            continue;
        }
        if (byte < 0x80) {
            bool line_end = byte == '\t' || byte == '\n' || byte == '\r';
            if (byte == 0x7F || (byte < 0x20 && !(line_end && flags & LINE_ENDS))) {
                return false;
            }
        } else {
            size = sequence(at, end);
            if (size == 0 || is_wide_control(at, size)) {
                return false;
            }
            if (byte == 0xEF && at[1] == 0xBC && at[2] >= 0x90 && at[2] <= 0x99) { /* a full-width digit */
                digits++;
                wide = true;
                continue;
            }
        }
        if (digits >= 17 && flags & NO_IDENTITY_NUMBER && may_be_identity_number(at, end, digits, wide)) {
            return false;
        }
        digits = 0;
        wide = false;
    }
    if (digits >= 17 && flags & NO_IDENTITY_NUMBER && may_be_identity_number(at, end, digits, wide)) {
        return false;
    }
    if (characters > most) {
        return false;
    }
    if (flags & MAY_BE_BLANK) {
        return true;
    }
    /* What begins with a space may be blank; that is for Python to say. */
    return characters > 0 && !Py_UNICODE_ISSPACE(character(text.at, text.at[0] < 0x80 ? 1 : sequence(text.at, end)));
}
