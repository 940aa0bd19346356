/* The table of an item edition, made by contracts/program.py, run over the bytes of one submission.
 *
 * Layout, little-endian: slots u8, one shape u8 per slot, then rules: operation u8, slot u8, size of body u16, body.
 * A string inside a body is its length u16 and its bytes. Every read is bounded; what does not fit is "not certain".
 */
#include "judging.h"

#include <string.h>

enum { SHAPE_TEXT, SHAPE_NUMBER, SHAPE_BOOL, OPTIONAL = 0x80 };

enum {
    OP_TEXT = 1,
    OP_DECIMAL,
    OP_RANGE,
    OP_NOT_BEFORE,
    OP_SAME,
    OP_SAME_IF_USCC,
    OP_LISTED,
    OP_USCC,
    OP_CAPITAL,
    OP_OLD_CODE,
    OP_COMMITMENT_NO,
    OP_REQUIRED_WHEN,
    OP_SUBJECT,
};

enum { WHEN_FILLED, WHEN_ONE_OF, WHEN_HOLDING };

static uint64_t take_number(Cursor *cursor, size_t size) {
    Text bytes = take(cursor, size);
    uint64_t number = 0;
    for (size_t i = bytes.size; i > 0; i--) {
        number = number << 8 | bytes.at[i - 1];
    }
    return number;
}

/* Of at most nine bytes: no number that is valid anywhere needs ten. */
static inline int64_t take_valid_long(Cursor *cursor) {
    const uint8_t *from = cursor->at;
    int64_t number = take_long(cursor);
    cursor->broken |= cursor->at - from > 9;
    return number;
}

bool open_program(const uint8_t *table, size_t size, Program *program) {
    Cursor cursor = {table, table + size, false};
    size_t slots = take_byte(&cursor);
    Text shapes = take(&cursor, slots);
    *program = (Program){shapes.at, slots, {cursor.at, (size_t)(cursor.end - cursor.at)}};
    return !cursor.broken && slots >= ENVELOPE_SLOTS && slots <= SLOTS;
}

static void read_value(Cursor *cursor, uint8_t shape, Value *value) {
    *value = (Value){ABSENT, {cursor->at, 0}, 0};
    if (shape & OPTIONAL) {
        uint64_t branch = take_byte(cursor);
        cursor->broken |= branch != 0 && branch != 2; /* 0 and 1 in zigzag */
        if (branch == 0) {
            return;
        }
    }
    if ((shape & ~OPTIONAL) == SHAPE_TEXT) {
        int64_t size = take_valid_long(cursor);
        cursor->broken |= size < 0;
        value->kind = TEXT;
        value->text = take(cursor, (size_t)size);
    } else if ((shape & ~OPTIONAL) == SHAPE_BOOL) {
        value->kind = NUMBER;
        value->number = take_byte(cursor);
        cursor->broken |= value->number > 1;
    } else {
        value->kind = NUMBER;
        value->number = take_valid_long(cursor);
    }
}

bool read_slots(const Program *program, Text body, Value *values, const uint8_t **payload) {
    Cursor cursor = {body.at, body.at + body.size, false};
    for (size_t i = 0; i < program->slots && !cursor.broken; i++) {
        if (i == ENVELOPE_SLOTS) {
            *payload = cursor.at;
        }
        read_value(&cursor, program->shapes[i], &values[i]);
    }
    if (program->slots == ENVELOPE_SLOTS) {
        *payload = cursor.at;
    }
    return !cursor.broken && cursor.at == cursor.end;
}

/* An entry is a flag (1: takes any continuation) and a string. */
static bool is_entry(Cursor entries, Text part) {
    while (entries.at < entries.end) {
        bool open = take_byte(&entries) == 1;
        Text entry = take_string(&entries);
        if (entries.broken) {
            return false;
        }
        if (open ? part.size >= entry.size && memcmp(part.at, entry.at, entry.size) == 0 : text_equals(part, entry)) {
            return true;
        }
    }
    return false;
}

static bool is_listed(Cursor body, Text text) {
    Text separator = take_string(&body);
    const uint8_t *end = text.at + text.size, *begin = text.at;
    for (const uint8_t *at = begin; separator.size > 0 && at + separator.size <= end;) {
        if (memcmp(at, separator.at, separator.size) != 0) {
            at++;
            continue;
        }
        if (!is_entry(body, (Text){begin, (size_t)(at - begin)})) {
            return false;
        }
        begin = at += separator.size;
    }
    return !body.broken && is_entry(body, (Text){begin, (size_t)(end - begin)});
}

/* The length of a bracket of either width at `at`, or 0. `wide` is the last of its three bytes. */
static size_t bracket(Text text, size_t at, char narrow, uint8_t wide) {
    if (at < text.size && text.at[at] == narrow) {
        return 1;
    }
    const uint8_t letters[3] = {0xEF, 0xBC, wide};
    return at + 3 <= text.size && memcmp(text.at + at, letters, 3) == 0 ? 3 : 0;
}

/* A number, then one of the units of the body, bare or in brackets. */
static bool is_capital(Cursor body, Text text) {
    size_t from = capital_number(text), end = text.size;
    if (from == 0) {
        return false;
    }
    size_t opening = bracket(text, from, '(', 0x88);
    if (opening > 0) {
        size_t closing = end >= 3 && bracket(text, end - 3, ')', 0x89) == 3 ? 3 : bracket(text, end - 1, ')', 0);
        if (closing == 0 || from + opening + closing > end) {
            return false;
        }
        from += opening;
        end -= closing;
    }
    return is_entry(body, (Text){text.at + from, end - from});
}

/* Whether an absent value may be so: its condition certainly does not hold. */
static bool may_be_absent(Cursor *body, const Value *other, uint64_t when) {
    if (other->kind == ABSENT) {
        return true;
    }
    if (when == WHEN_FILLED) {
        return other->kind == TEXT && other->text.size == 0;
    }
    while (body->at < body->end) {
        Text word = take_string(body);
        if (body->broken || other->kind != TEXT) {
            return false;
        }
        if (when == WHEN_ONE_OF ? text_equals(other->text, word) : text_holds(other->text, word)) {
            return false;
        }
    }
    return true;
}

static bool is_subject(Cursor body, const Value *values) {
    while (body.at < body.end && !body.broken) {
        Text kind = take_string(&body), code_kind = take_string(&body);
        if (!body.broken && text_equals(kind, values[SUBJECT_KIND].text) &&
            text_equals(code_kind, values[SUBJECT_CODE_KIND].text)) {
            return is_clean_code(code_kind, values[SUBJECT_CODE].text);
        }
    }
    return false;
}

static bool same(const Value *value, const Value *other) {
    if (value->kind != other->kind) {
        return false;
    }
    return value->kind == TEXT ? text_equals(value->text, other->text) : value->number == other->number;
}

/* The slot named by the next byte of a body, or NULL. */
static const Value *other_slot(Cursor *body, const Program *program, const Value *values) {
    size_t slot = take_byte(body);
    return !body->broken && slot < program->slots ? &values[slot] : NULL;
}

static bool compare(uint8_t operation, Cursor body, const Program *program, const Value *values, const Value *value) {
    const Value *other = other_slot(&body, program, values);
    if (other == NULL) {
        return false;
    }
    switch (operation) {
    case OP_SAME_IF_USCC:
        return !text_is(values[SUBJECT_CODE_KIND].text, "uscc") || same(value, other);
    case OP_SAME:
        return same(value, other);
    case OP_NOT_BEFORE:
        return other->kind != NUMBER || value->number >= other->number;
    default: /* OP_OLD_CODE */
        return other->kind == TEXT && is_old_code(other->text, value->text);
    }
}

/* One rule about a value that is there. */
static bool holds(uint8_t operation, Cursor body, const Program *program, const Value *values, const Value *value) {
    if (operation == OP_RANGE) {
        int64_t low = (int64_t)take_number(&body, 8), high = (int64_t)take_number(&body, 8);
        return !body.broken && value->kind == NUMBER && low <= value->number && value->number <= high;
    }
    if (operation >= OP_NOT_BEFORE && operation <= OP_SAME_IF_USCC) {
        return compare(operation, body, program, values, value);
    }
    if (value->kind != TEXT) {
        return false;
    }
    Text text = value->text;
    switch (operation) {
    case OP_TEXT: {
        uint32_t most = (uint32_t)take_number(&body, 4);
        unsigned flags = take_byte(&body);
        return !body.broken && text_fits(text, most, flags);
    }
    case OP_DECIMAL:
        return is_decimal(text);
    case OP_LISTED:
        return is_listed(body, text);
    case OP_USCC:
        return is_uscc(text);
    case OP_CAPITAL:
        return is_capital(body, text);
    case OP_OLD_CODE:
        return compare(operation, body, program, values, value);
    case OP_COMMITMENT_NO:
        return is_commitment_no(text);
    case OP_SUBJECT:
        return is_subject(body, values);
    default:
        return false;
    }
}

bool certainly_valid(const Program *program, const Value *values) {
    Cursor rules = {program->rules.at, program->rules.at + program->rules.size, false};
    while (rules.at < rules.end) {
        uint8_t operation = take_byte(&rules);
        size_t slot = take_byte(&rules);
        Text text = take_string(&rules);
        Cursor body = {text.at, text.at + text.size, false};
        if (rules.broken || slot >= program->slots) {
            return false;
        }
        const Value *value = &values[slot];
        if (operation == OP_REQUIRED_WHEN) {
            const Value *other = other_slot(&body, program, values);
            uint64_t when = take_byte(&body);
            if (other == NULL || (value->kind == ABSENT && !may_be_absent(&body, other, when))) {
                return false;
            }
        } else if (value->kind != ABSENT && !holds(operation, body, program, values, value)) {
            return false;
        }
    }
    return true;
}
