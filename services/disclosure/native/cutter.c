/* read_many(context, messages, now): linked records with what may be shown of them, ready to be decided. What it is not
 * certain of is None, and Python reads it.
 *
 * References: each object is put into the tuple it belongs to at once, so that one DECREF of the tuple is the whole
 * clean-up. The messages and the sort in use are held while they are used, since asking Python for a sort could let go
 * of them.
 */
#include "cut.h"

#include "../../chassis/native/named.h"
#include <datetime.h>

enum { HEAD = 5, ID = 16, SCHEMA_ID = 4, FIXED_TEXTS = 7, MESSAGE_FIELDS = 7, VALUE_FIELD = 4, TABLE_VERSION = 1 };

typedef struct { /* what contracts/batch_reader.py hands over; borrowed from its tuple */
    PyTypeObject *seen, *shown;
    PyObject *fields_type;
    PyObject *head;       /* of a linked record in our own edition */
    PyObject *actions;    /* texts: those of which something is shown */
    PyObject *code_kinds; /* texts: the kinds of code that may be told */
    PyObject *sorts;      /* key -> (table, item, item version, feeds, whether it is a person's), or None */
    PyObject *sort_of;    /* asked for keys that are not there */
    Py_ssize_t id_limit, name_limit; /* characters */
    PyObject *now;
} Context;

typedef struct { /* what records have in common that are cut by one table */
    PyObject *held; /* owned */
    PyObject *key;  /* owned */
    Text table;
    PyObject *item, *version, *feeds;
    int person;
} Sort;

typedef struct { /* of one linked record; all lie in its value */
    Text subject_id, record_id, sort, action, agency, submission_id, submission, kind;
    int64_t version, accepted_at;
    Cursor body; /* of the submission, behind its fixed texts */
} Linked;

typedef struct {
    const Context *context;
    Sort sort;
    PyObject *agency; /* owned: of the last record, since messages come in runs */
    Buffer key, fields;
} Reader;

static Text bytes_of(PyObject *bytes) {
    return (Text){(const uint8_t *)PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)};
}

static bool is_ascii(Text text) {
    uint8_t all = 0;
    for (size_t i = 0; i < text.size; i++) {
        all |= text.at[i];
    }
    return all < 0x80;
}

/* 1: a new str. 0: it is not UTF-8. -1: an exception is set. */
static int decoded(Text text, PyObject **made) {
    *made = PyUnicode_DecodeUTF8((const char *)text.at, (Py_ssize_t)text.size, "strict");
    if (*made != NULL) {
        return 1;
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

static int is_text(Text text) {
    PyObject *made;
    if (is_ascii(text)) {
        return 1;
    }
    int found = decoded(text, &made);
    Py_XDECREF(made);
    return found;
}

/* A text that contracts/text.py would leave as it is: 1, a new str. 0: it would not. -1: an exception is set. */
static int storable(Text text, Py_ssize_t limit, PyObject **made) {
    int found = memchr(text.at, 0, text.size) == NULL ? decoded(text, made) : 0;
    if (found != 1) {
        return found;
    }
    Py_ssize_t size = PyUnicode_GET_LENGTH(*made);
    if (size > limit || (size > 0 && (Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(*made, 0)) ||
                                      Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(*made, size - 1))))) {
        Py_CLEAR(*made);
        return 0;
    }
    return 1;
}

/* The same, but None for an empty one, as what a subject is called is told. */
static int told(Text text, Py_ssize_t limit, PyObject **made) {
    if (text.size > 0) {
        return storable(text, limit, made);
    }
    *made = Py_NewRef(Py_None);
    return 1;
}

/* Whether a code is certainly narrow as it is (services/kernel/text.py), but for white space, which `storable` sees. */
static bool is_narrow(Text code) {
    for (size_t i = 0; i < code.size; i++) {
        if (code.at[i] >= 0x80 || (code.at[i] >= 'a' && code.at[i] <= 'z')) {
            return false;
        }
    }
    return true;
}

/* --- what lies where --------------------------------------------------------------------------------------------- */

/* As contracts/records.py has it, `_FIELDS`; false where that is not certain. What follows is of no interest. */
static bool open_record(Text head, Text value, Linked *linked) {
    Cursor cursor = {value.at, value.at + value.size, false};
    if (!text_equals(take(&cursor, HEAD), head)) {
        return false;
    }
    linked->subject_id = take(&cursor, ID);
    bool plain = is_ascii(take_text(&cursor)); /* link_rule: not told, but it has to be a text */
    take_long(&cursor);                        /* linked_at */
    linked->record_id = take(&cursor, ID);
    linked->version = take_long(&cursor);
    const uint8_t *sort = cursor.at;
    take_text(&cursor); /* item */
    take_long(&cursor); /* item_version */
    take_text(&cursor); /* item_class */
    take_text(&cursor); /* disclosure */
    linked->sort = (Text){sort, (size_t)(cursor.at - sort)};
    linked->action = take_text(&cursor);
    linked->agency = take_text(&cursor);
    linked->submission_id = take_text(&cursor);
    linked->accepted_at = take_long(&cursor);
    if (take_branch(&cursor)) {
        take_long(&cursor); /* due_on */
    }
    linked->submission = take_text(&cursor);
    return plain && !cursor.broken;
}

/* The fixed envelope up to `subject_kind`, seven texts. */
static int open_submission(Linked *linked) {
    Text framed = linked->submission;
    if (framed.size < HEAD || framed.at[0] != 0) {
        return 0;
    }
    Cursor cursor = {framed.at + HEAD, framed.at + framed.size, false};
    int found = 1;
    for (int i = 0; found == 1 && i < FIXED_TEXTS; i++) {
        const uint8_t *from = cursor.at;
        found = is_text(take_text(&cursor));
        linked->kind = (Text){from, (size_t)(cursor.at - from)}; /* with its length, as the key of a sort has it */
    }
    linked->body = cursor;
    return found == 1 ? !cursor.broken : found;
}

/* --- its sort ---------------------------------------------------------------------------------------------------- */

static bool make_key(const Linked *linked, Buffer *key) {
    key->size = 0;
    return put_raw(key, linked->submission.at + 1, SCHEMA_ID) && put_raw(key, linked->kind.at, linked->kind.size) &&
           put_raw(key, linked->sort.at, linked->sort.size);
}

/* A new reference to what Python knows of a sort. */
static PyObject *ask(const Context *context, PyObject *key) {
    PyObject *found = PyDict_GetItemWithError(context->sorts, key);
    if (found != NULL || PyErr_Occurred()) {
        return Py_XNewRef(found);
    }
    return PyObject_CallOneArg(context->sort_of, key);
}

static int open_sort(PyObject *found, Sort *sort) {
    PyObject *table;
    if (found == Py_None) {
        return 0;
    }
    if (!PyTuple_Check(found)) {
        PyErr_SetString(PyExc_TypeError, "a sort is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(found, "SUO!O!p", &table, &sort->item, &PyLong_Type, &sort->version, &PyTuple_Type, &sort->feeds,
                          &sort->person)) {
        return -1;
    }
    sort->table = bytes_of(table);
    return 1;
}

/* 1: found, 0: not certain, -1: an exception is set. The last one is remembered. */
static int find_sort(Reader *reader, const Linked *linked) {
    if (!make_key(linked, &reader->key)) {
        return -1;
    }
    Text key = {reader->key.at, reader->key.size};
    if (reader->sort.key != NULL && text_equals(bytes_of(reader->sort.key), key)) {
        return 1;
    }
    Sort opened = {.key = PyBytes_FromStringAndSize((const char *)key.at, (Py_ssize_t)key.size)};
    opened.held = opened.key == NULL ? NULL : ask(reader->context, opened.key);
    int found = opened.held == NULL ? -1 : open_sort(opened.held, &opened);
    Sort left = found == 1 ? reader->sort : opened;
    if (found == 1) {
        reader->sort = opened;
    }
    Py_XDECREF(left.key);
    Py_XDECREF(left.held);
    return found;
}

/* --- what is made ------------------------------------------------------------------------------------------------ */

/* The one of these texts that is equal, borrowed; NULL if none is. Each has its UTF-8, asked for at the door. */
static PyObject *one_of(PyObject *texts, Text text) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(texts); i++) {
        PyObject *known = PyTuple_GET_ITEM(texts, i);
        Py_ssize_t size = 0;
        const char *at = PyUnicode_AsUTF8AndSize(known, &size);
        if (text_equals((Text){(const uint8_t *)at, (size_t)size}, text)) {
            return known;
        }
    }
    return NULL;
}

static int find_agency(Reader *reader, Text text) {
    PyObject *made;
    if (reader->agency != NULL) {
        Py_ssize_t size;
        const char *at = PyUnicode_AsUTF8AndSize(reader->agency, &size);
        if (at == NULL) {
            return -1;
        }
        if (text_equals((Text){(const uint8_t *)at, (size_t)size}, text)) {
            return 1;
        }
    }
    int found = storable(text, reader->context->id_limit, &made);
    if (found == 1) {
        Py_XSETREF(reader->agency, made);
    }
    return found;
}

/* Code and name as reported, new references; nothing by which a person is known. */
static int find_subject(const Reader *reader, const Cut *cut, PyObject **code, PyObject **name) {
    const Context *context = reader->context;
    *code = *name = NULL;
    int found = is_text(cut->kept[CODE_KIND]);
    found = found == 1 ? is_text(cut->kept[CODE]) : found;
    if (found != 1) {
        return found;
    }
    if (reader->sort.person) {
        *code = Py_NewRef(Py_None), *name = Py_NewRef(Py_None);
        return is_text(cut->kept[NAME]);
    }
    if (one_of(context->code_kinds, cut->kept[CODE_KIND]) == NULL) {
        *code = Py_NewRef(Py_None);
    } else {
        found = is_narrow(cut->kept[CODE]) ? told(cut->kept[CODE], context->id_limit, code) : 0;
    }
    return found == 1 ? told(cut->kept[NAME], context->name_limit, name) : found;
}

/* The Avro map of what is shown. */
static PyObject *make_fields(const Context *context, const Cut *cut) {
    uint8_t head[LONG_BYTES];
    size_t digits = cut->shown > 0 ? long_put(head, (int64_t)cut->shown) : 0, size = cut->fields->size;
    PyObject *encoded = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(digits + size + 1));
    if (encoded == NULL) {
        return NULL;
    }
    char *at = PyBytes_AS_STRING(encoded);
    memcpy(at, head, digits);
    if (size > 0) {
        memcpy(at + digits, cut->fields->at, size);
    }
    at[digits + size] = 0;
    PyObject *made = PyObject_CallOneArg(context->fields_type, encoded);
    Py_DECREF(encoded);
    return made;
}

static PyObject *id_from(Text id) { return PyBytes_FromStringAndSize((const char *)id.at, (Py_ssize_t)id.size); }

/* Takes over the texts; NULL with an exception. */
static PyObject *make_seen(const Reader *reader, const Linked *linked, const Cut *cut, PyObject *action,
                           PyObject *const texts[3]) {
    const Context *context = reader->context;
    const Sort *sort = &reader->sort;
    int year = 1, month = 1, day = 1;
    day_of(cut->decided_on, &year, &month, &day);
    PyObject *fields = make_fields(context, cut); /* first: it calls Python, which must not find an exception set */
    PyObject *shown = NAMED(context->shown, Py_NewRef(sort->item), Py_NewRef(sort->version), Py_NewRef(reader->agency),
                            texts[0], texts[1], texts[2], PyDate_FromDate(year, month, day),
                            PyLong_FromLongLong(linked->accepted_at), fields);
    return NAMED(context->seen, id_from(linked->record_id), PyLong_FromLongLong(linked->version),
                 id_from(linked->subject_id), Py_NewRef(action), Py_NewRef(sort->feeds), shown, Py_NewRef(context->now));
}

/* --- one message ------------------------------------------------------------------------------------------------- */

/* A new reference to what is seen, in `made`: 1. 0: not certain. -1: an exception is set. */
static int see(Reader *reader, const Linked *linked, PyObject *action, PyObject **made) {
    static const Text NONE = {(const uint8_t *)"", 0};
    int year, month, day;
    Cut cut = {.kept = {NONE, NONE, NONE}, .fields = &reader->fields};
    PyObject *texts[3] = {NULL, NULL, NULL};
    int found = cut_out(reader->sort.table, linked->body, &cut);
    found = found == 1 ? day_of(cut.decided_on, &year, &month, &day) : found;
    found = found == 1 ? find_agency(reader, linked->agency) : found;
    found = found == 1 ? storable(linked->submission_id, reader->context->id_limit, &texts[0]) : found;
    found = found == 1 ? find_subject(reader, &cut, &texts[1], &texts[2]) : found;
    if (found == 1) {
        *made = make_seen(reader, linked, &cut, action, texts);
        return *made == NULL ? -1 : 1;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Py_XDECREF(texts[i]);
    }
    return found;
}

static int read_one(Reader *reader, PyObject *message, PyObject **made) {
    const Context *context = reader->context;
    Linked linked;
    if (!PyTuple_Check(message) || PyTuple_GET_SIZE(message) != MESSAGE_FIELDS ||
        !PyBytes_CheckExact(PyTuple_GET_ITEM(message, VALUE_FIELD)) ||
        !open_record(bytes_of(context->head), bytes_of(PyTuple_GET_ITEM(message, VALUE_FIELD)), &linked)) {
        return 0;
    }
    PyObject *action = one_of(context->actions, linked.action);
    int found = action == NULL ? 0 : open_submission(&linked);
    found = found == 1 ? find_sort(reader, &linked) : found;
    return found == 1 ? see(reader, &linked, action, made) : found;
}

static bool read_all(Reader *reader, PyObject *messages, PyObject *read) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(messages); i++) {
        PyObject *made = NULL;
        int found = read_one(reader, PyTuple_GET_ITEM(messages, i), &made);
        if (found < 0) {
            return false;
        }
        PyList_SET_ITEM(read, i, found == 1 ? made : Py_NewRef(Py_None));
    }
    return true;
}

/* --- the door ---------------------------------------------------------------------------------------------------- */

static bool are_texts(PyObject *texts) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(texts); i++) {
        if (PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(texts, i), NULL) == NULL) {
            return false;
        }
    }
    return true;
}

static bool open_context(PyObject *given, Context *context) {
    if (!PyArg_ParseTuple(given, "O!O!OSO!O!O!Onn", &PyType_Type, &context->seen, &PyType_Type, &context->shown,
                          &context->fields_type, &context->head, &PyTuple_Type, &context->actions, &PyTuple_Type,
                          &context->code_kinds, &PyDict_Type, &context->sorts, &context->sort_of, &context->id_limit,
                          &context->name_limit)) {
        return false;
    }
    if (!PyType_IsSubtype(context->seen, &PyTuple_Type) || !PyType_IsSubtype(context->shown, &PyTuple_Type)) {
        PyErr_SetString(PyExc_TypeError, "named tuples are needed");
        return false;
    }
    return are_texts(context->actions) && are_texts(context->code_kinds);
}

static PyObject *read_many(PyObject *module, PyObject *arguments) {
    PyObject *given, *messages;
    Context context = {0};
    long long moment;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!OL", &PyTuple_Type, &given, &messages, &moment) ||
        !open_context(given, &context)) {
        return NULL;
    }
    Reader reader = {.context = &context};
    /* A tuple of our own: nobody can take a message out of it meanwhile. */
    messages = PySequence_Tuple(messages);
    context.now = PyLong_FromLongLong(moment);
    PyObject *read = messages == NULL || context.now == NULL ? NULL : PyList_New(PyTuple_GET_SIZE(messages));
    if (read != NULL && !read_all(&reader, messages, read)) {
        Py_CLEAR(read);
    }
    Py_XDECREF(reader.sort.key);
    Py_XDECREF(reader.sort.held);
    Py_XDECREF(reader.agency);
    buffer_free(&reader.key);
    buffer_free(&reader.fields);
    Py_XDECREF(messages);
    Py_XDECREF(context.now);
    return read;
}

static PyMethodDef METHODS[] = {
    {"read_many", read_many, METH_VARARGS, "read_many(context, messages, now) -> list"},
    {NULL, NULL, 0, NULL},
};

static int fill_module(PyObject *module) {
    PyDateTime_IMPORT;
    return PyDateTimeAPI == NULL ? -1 : PyModule_AddIntConstant(module, "TABLE_VERSION", TABLE_VERSION);
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, (void *)fill_module}, {0, NULL}};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_cutter", "Reads batches of linked records; see contracts/batch_reader.py.", 0, METHODS, SLOTS,
    NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__cutter(void);
PyMODINIT_FUNC PyInit__cutter(void) { return PyModuleDef_Init(&MODULE); }
