/* The table of a sort, made by contracts/program.py, run over what follows the fixed envelope of a submission.
 *
 * Layout: operation u8, its highest bit set where the field may be null; then, of KEEP, the slot u8; of what is shown,
 * the size u16, little-endian, of the key and the key as the map of fields has it. Every read is bounded.
 */
#include "cut.h"

enum { OPTIONAL = 0x80 };

enum { SKIP_TEXT, SKIP_LONG, SKIP_1, SKIP_4, SKIP_8, KEEP_TEXT, KEEP_DAY, SHOW_TEXT, SHOW_NUMBER, SHOW_DAY, SHOW_TRUTH };

bool take_branch(Cursor *cursor) {
    int64_t branch = take_long(cursor);
    cursor->broken |= branch != 0 && branch != 1;
    return branch == 1 && !cursor->broken;
}

/* The civil calendar, counted from 1 March of the year 0 in eras of 400 years. */
bool day_of(int64_t days, int *year, int *month, int *day) {
    if (days < -719162 || days > 2932896) {
        return false;
    }
    int64_t from_march = days + 719468, era = from_march / 146097, of_era = from_march % 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * month_from_march + 2) / 5 + 1);
    *month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *year = (int)(era * 400 + year_of_era + (*month <= 2));
    return true;
}

static bool put_day(Buffer *fields, int64_t days) {
    char text[16];
    int year, month, day;
    if (!day_of(days, &year, &month, &day)) {
        return false;
    }
    char *at = text;
    for (int divisor = 1000; divisor > 0; divisor /= 10) {
        *at++ = (char)('0' + year / divisor % 10);
    }
    const char rest[] = {'-', (char)('0' + month / 10), (char)('0' + month % 10), '-', (char)('0' + day / 10),
                         (char)('0' + day % 10)};
    memcpy(at, rest, sizeof rest);
    return put_bytes(fields, text, 4 + sizeof rest);
}

static bool put_number(Buffer *fields, int64_t number) {
    char text[24];
    int size = snprintf(text, sizeof text, "%lld", (long long)number);
    return put_bytes(fields, text, (size_t)size);
}

static bool put_truth(Buffer *fields, bool truth) { return put_bytes(fields, truth ? "true" : "false", truth ? 4 : 5); }

/* The value as it is shown, behind its key; false: it has no form, or an exception is set. */
static bool show(uint8_t operation, Cursor *body, Buffer *fields) {
    const uint8_t *from = body->at;
    switch (operation) {
    case SHOW_TEXT:
        take_text(body); /* with its length as it lies there, which is what a map wants */
        return put_raw(fields, from, (size_t)(body->at - from));
    case SHOW_NUMBER:
        return put_number(fields, take_long(body));
    case SHOW_DAY:
        return put_day(fields, take_long(body));
    case SHOW_TRUTH:
        return put_truth(fields, take_byte(body) != 0);
    default:
        return false;
    }
}

static bool step(uint8_t operation, uint8_t slot, Cursor *body, Cut *cut) {
    static const uint8_t SIZES[] = {[SKIP_1] = 1, [SKIP_4] = 4, [SKIP_8] = 8};
    switch (operation) {
    case SKIP_TEXT:
        take_text(body);
        return true;
    case SKIP_LONG:
        take_long(body);
        return true;
    case SKIP_1:
    case SKIP_4:
    case SKIP_8:
        take(body, SIZES[operation]);
        return true;
    case KEEP_TEXT:
        cut->kept[slot < KEPT ? slot : 0] = take_text(body);
        return slot < KEPT;
    case KEEP_DAY:
        cut->decided_on = take_long(body);
        return true;
    default:
        return false;
    }
}

int cut_out(Text table, Cursor body, Cut *cut) {
    Cursor steps = {table.at, table.at + table.size, false};
    bool going = buffer_reserve(cut->fields, LONG_BYTES); /* so that there is a place to copy nothing to */
    cut->fields->size = cut->shown = 0;
    while (going && steps.at < steps.end) {
        uint8_t operation = take_byte(&steps), plain = operation & ~OPTIONAL, slot = 0;
        Text key = {0};
        if (plain >= SHOW_TEXT) {
            key = take_string(&steps);
        } else if (plain == KEEP_TEXT) {
            slot = take_byte(&steps);
        }
        if (operation & OPTIONAL && !take_branch(&body)) {
            continue;
        }
        if (plain < SHOW_TEXT) {
            going = step(plain, slot, &body, cut);
        } else {
            going = put_raw(cut->fields, key.at, key.size) && show(plain, &body, cut->fields);
            cut->shown++;
        }
        going = going && !body.broken && !steps.broken;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    return going && !body.broken && !steps.broken && body.at == body.end;
}
