/* What is shown of one submission, cut out of its bytes by the table of its sort. */
#pragma once
#include "../../chassis/native/buffer.h"
#include "../../chassis/native/cursor.h"

bool take_branch(Cursor *cursor); /* whether a value follows, of a union with null, null first */

enum { CODE_KIND, CODE, NAME, KEPT };

typedef struct {
    Text kept[KEPT];
    int64_t decided_on; /* days since 1970 */
    size_t shown;       /* how many fields `fields` has, each a text before its text */
    Buffer *fields;     /* emptied first */
} Cut;

/* 1: cut. 0: not certain. -1: an exception is set. The body is read to its end. */
int cut_out(Text table, Cursor body, Cut *cut);

/* A day since 1970 by the calendar; false for one before the year 1 or after 9999. */
bool day_of(int64_t days, int *year, int *month, int *day);
