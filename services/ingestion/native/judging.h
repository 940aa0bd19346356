/* Judging one submission: bytes -> values by slot -> "certainly valid" or "not certain", by the table of its item. */
#ifndef CREDIT_JUDGING_H
#define CREDIT_JUDGING_H

#include "../../chassis/native/cursor.h"

/* texts.c: every function is true only for what is certainly right as written. */
enum { LINE_ENDS = 1, MAY_BE_BLANK = 2, NO_IDENTITY_NUMBER = 4 }; /* flags of the TEXT operation */

bool text_is(Text text, const char *word);
bool text_holds(Text text, Text part);
bool text_fits(Text text, uint32_t most, unsigned flags); /* also: it is UTF-8 */

/* codes.c */
bool is_resident_id(const uint8_t *number);
bool is_clean_code(Text kind, Text code); /* of a subject: valid, as written, without a note */
bool is_uscc(Text code);                  /* valid and as written */
bool is_old_code(Text kind, Text code);
bool is_commitment_no(Text text);
bool is_decimal(Text text);
size_t capital_number(Text text); /* bytes of the number before the unit of a registered capital; 0: not certain */

/* program.c: the slots of a submission are the envelope's fields, then the payload's. */
enum { SUBMISSION_ID, ITEM, AGENCY, SOURCE_UNIT, ACTION, RECORD_NO, SUBJECT_KIND, SUBJECT_CODE_KIND, SUBJECT_CODE,
       SUBJECT_NAME, DECIDED_ON, PRODUCED_AT, ENVELOPE_SLOTS };
enum { SLOTS = 128 };

typedef enum { ABSENT, TEXT, NUMBER } Kind;

typedef struct {
    Kind kind;
    Text text;
    int64_t number;
} Value;

typedef struct {
    const uint8_t *shapes; /* one byte per slot */
    size_t slots;
    Text rules;
} Program;

bool open_program(const uint8_t *table, size_t size, Program *program);

/* The values of a body and where its payload begins; false where that is not certain. */
bool read_slots(const Program *program, Text body, Value *values, const uint8_t **payload);

bool certainly_valid(const Program *program, const Value *values);

#endif
