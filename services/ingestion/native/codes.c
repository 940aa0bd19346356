/* Codes with check characters and the other named formats. A code that would have to be repaired is not certain. */
#include "judging.h"

#include <string.h>

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

static bool are_digits(const uint8_t *at, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!is_digit(at[i])) {
            return false;
        }
    }
    return true;
}

static int number_of(const uint8_t *at, size_t digits) {
    int number = 0;
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + at[i] - '0';
    }
    return number;
}

/* GB 11643-1999, 18 characters: form, check character, and a date that exists and is not before 1800. */
bool is_resident_id(const uint8_t *number) {
    static const uint8_t WEIGHTS[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    static const uint8_t DAYS[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (number[0] == '0' || !are_digits(number, 17)) {
        return false;
    }
    int sum = 0;
    for (int i = 0; i < 17; i++) {
        sum += (number[i] - '0') * WEIGHTS[i];
    }
    int year = number_of(number + 6, 4), month = number_of(number + 10, 2), day = number_of(number + 12, 2);
    if (number[17] != "10X98765432"[sum % 11] || year < 1800 || month < 1 || month > 12) {
        return false;
    }
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day >= 1 && day <= DAYS[month] + (leap && month == 2);
}

/* GB 11714-1997: whether nine characters have the form and the right check character; letters count as in base 36. */
static bool is_organisation_part(const uint8_t *code) {
    static const uint8_t WEIGHTS[8] = {3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (int i = 0; i < 8; i++) {
        bool letter = code[i] >= 'A' && code[i] <= 'Z';
        if (!letter && !is_digit(code[i])) {
            return false;
        }
        sum += (letter ? code[i] - 'A' + 10 : code[i] - '0') * WEIGHTS[i];
    }
    return code[8] == "0X987654321"[sum % 11];
}

static bool is_org_code(Text code) {
    bool nobody = code.size == 9 && memcmp(code.at, "000000000", 9) == 0;
    bool private = code.size == 9 && memcmp(code.at, "PDY", 3) == 0;
    return code.size == 9 && !nobody && !private && is_organisation_part(code.at);
}

/* GB 32100-2015. Seventeen zeros are nobody's code, with whatever check character. */
bool is_uscc(Text code) {
    static const uint8_t WEIGHTS[18] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1};
    static const char ALPHABET[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    int sum = 0;
    if (code.size != 18 || memcmp(code.at, "00000000000000000", 17) == 0) {
        return false;
    }
    for (int i = 0; i < 18; i++) {
        uint8_t byte = code.at[i];
        const char *letter = is_digit(byte) ? ALPHABET + byte - '0' : byte ? strchr(ALPHABET + 10, byte) : NULL;
        if (letter == NULL) {
            return false;
        }
        sum += (int)(letter - ALPHABET) * WEIGHTS[i];
    }
    return sum % 31 == 0;
}

/* GS 15-2006, the form of fifteen digits; older forms are left to Python. */
static bool is_reg_no(Text code) {
    if (code.size != 15 || !are_digits(code.at, 15) || memcmp(code.at, "000000000000000", 15) == 0) {
        return false;
    }
    int p = 10;
    for (int i = 0; i < 14; i++) {
        int s = (p + code.at[i] - '0') % 10;
        p = (s ? s : 10) * 2 % 11;
    }
    return (11 - p) % 10 == code.at[14] - '0';
}

/* Registering department, then kind of body, as services/kernel/uscc.py has them. */
static bool is_listed(const uint8_t *code) {
    static const char *const KINDS[][2] = {{"1", "1239"}, {"2", "19"},   {"3", "123459"}, {"4", "19"},
                                           {"5", "1239"}, {"6", "129"},  {"7", "129"},    {"8", "19"},
                                           {"9", "123"},  {"A", "19"},   {"N", "1239"},   {"Y", "1"}};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (*KINDS[i][0] == code[0]) {
            return strchr(KINDS[i][1], code[1]) != NULL;
        }
    }
    return false;
}

bool is_clean_code(Text kind, Text code) {
    if (text_is(kind, "uscc")) {
        return is_uscc(code) && is_organisation_part(code.at + 8) && is_listed(code.at); /* else it is worth a note */
    }
    if (text_is(kind, "org_code")) {
        return is_org_code(code);
    }
    if (text_is(kind, "reg_no")) {
        return is_reg_no(code);
    }
    return text_is(kind, "resident_id") && code.size == 18 && is_resident_id(code.at);
}

static bool is_tax_no(Text code) {
    bool fifteen = code.size == 15 && are_digits(code.at, 6);
    for (size_t i = 6; fifteen && i < 15; i++) {
        fifteen = is_digit(code.at[i]) || (code.at[i] >= 'A' && code.at[i] <= 'Z');
    }
    if (fifteen) {
        return true;
    }
    for (size_t i = 0; i < code.size; i++) {
        if (!is_digit(code.at[i]) && code.at[i] != 'X') {
            return false;
        }
    }
    return code.size >= 17 && code.size <= 20;
}

bool is_old_code(Text kind, Text code) {
    if (text_is(kind, "tax_no")) {
        return is_tax_no(code);
    }
    return (text_is(kind, "org_code") && is_org_code(code)) || (text_is(kind, "reg_no") && is_reg_no(code));
}

bool is_commitment_no(Text text) {
    if (text.size != 20 || !are_digits(text.at, 20) || memcmp(text.at, "42", 2) != 0) {
        return false;
    }
    int century = number_of(text.at + 6, 2), month = number_of(text.at + 10, 2), day = number_of(text.at + 12, 2);
    return (century == 19 || century == 20) && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static size_t run_of_digits(Text text, size_t from) {
    size_t at = from;
    while (at < text.size && is_digit(text.at[at])) {
        at++;
    }
    return at - from;
}

/* The length of `.` and at most `most` digits at `from`; 0 where there is no such fraction. */
static size_t fraction(Text text, size_t from, size_t most) {
    if (from >= text.size || text.at[from] != '.') {
        return 0;
    }
    size_t digits = run_of_digits(text, from + 1);
    return digits >= 1 && digits <= most ? digits + 1 : 0;
}

bool is_decimal(Text text) {
    size_t digits = run_of_digits(text, 0);
    if (digits < 1 || digits > 12 || (digits > 1 && text.at[0] == '0')) {
        return false;
    }
    return digits + fraction(text, digits, 6) == text.size;
}

size_t capital_number(Text text) {
    size_t digits = run_of_digits(text, 0), at = digits, total = digits;
    while (at < text.size && text.at[at] == ',') {
        if (digits > 3 || run_of_digits(text, at + 1) != 3) {
            return 0; /* wrongly grouped */
        }
        at += 4;
        total += 3;
    }
    if (digits == 0 || total > 11) {
        return 0; /* near the limit Python counts */
    }
    return at + fraction(text, at, 8);
}
