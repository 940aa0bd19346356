/* read_many(context, messages, now, today, latest): the submissions that are certainly valid, ready to be decided, with
 * what will be said about each if it becomes version 1. What it is not certain of is None, and Python reads it.
 *
 * References: `made` owns everything; each object is put into the tuple it belongs to at once, so that one DECREF of the
 * tuple is the whole clean-up. Messages, the edition and the source in use are held while they are used, since asking
 * Python for a due date could let go of them.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../../chassis/native/named.h"
#include "blake2b.h"
#include "judging.h"

enum { HEAD = 5, RECORD_ID = 16, CONTENT = 16, DIGEST = 8, MESSAGE_FIELDS = 7, TABLE_VERSION = 3 };

typedef struct { /* what contracts/batch_reader.py hands over; borrowed from its tuple */
    PyTypeObject *submission, *origin, *outgoing;
    PyObject *editions; /* schema id -> (program, item, item version, schema id, facts, due days, due_on) */
    PyObject *sources;  /* topic -> (agency, receipts topic, schema ids it may use) */
    PyObject *actions, *record_topic, *record_head, *receipt_kind, *receipt_head;
    PyObject *nothing, *empty, *now_object; /* the empty tuple and the empty string */
    int64_t now, today, latest;
} Context;

typedef struct {
    PyObject *held; /* owned */
    long long schema_id;
    Program program;
    PyObject *item, *version, *id, *facts, *due_days, *due_on;
} Edition;

typedef struct {
    PyObject *held; /* owned */
    PyObject *topic; /* owned */
    PyObject *agency, *receipts, *schema_ids;
} Source;

typedef struct {
    PyObject *topic, *partition, *key, *value;
    int64_t timestamp;
} Sent;

/* --- bytes ------------------------------------------------------------------------------------------------------ */

static Text bytes_of(PyObject *bytes) {
    return (Text){(const uint8_t *)PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)};
}

/* The UTF-8 of a str, which keeps it; NULL, and an exception, for one that has none: asked once at the door. */
static Text utf8_of(PyObject *text) {
    Py_ssize_t size = 0;
    const char *at = PyUnicode_AsUTF8AndSize(text, &size);
    return (Text){(const uint8_t *)at, (size_t)size};
}

static uint64_t zigzag(int64_t number) { return (uint64_t)number << 1 ^ (number < 0 ? ~UINT64_C(0) : 0); }

static size_t long_size(int64_t number) {
    size_t size = 1;
    for (uint64_t left = zigzag(number) >> 7; left > 0; left >>= 7) {
        size++;
    }
    return size;
}

static size_t string_size(Text text) { return long_size((int64_t)text.size) + text.size; }

static uint8_t *put(uint8_t *at, Text text) {
    memcpy(at, text.at, text.size);
    return at + text.size;
}

static uint8_t *put_long(uint8_t *at, int64_t number) {
    uint64_t left = zigzag(number);
    for (; left > 0x7F; left >>= 7) {
        *at++ = (uint8_t)(left | 0x80);
    }
    *at++ = (uint8_t)left;
    return at;
}

static uint8_t *put_string(uint8_t *at, Text text) { return put(put_long(at, (int64_t)text.size), text); }

/* --- what is made ----------------------------------------------------------------------------------------------- */

static PyObject *bytes_from(const uint8_t *at, size_t size) {
    return PyBytes_FromStringAndSize((const char *)at, (Py_ssize_t)size);
}

static PyObject *str_from(Text text) { return PyUnicode_FromStringAndSize((const char *)text.at, (Py_ssize_t)text.size); }

static void hash_names(uint8_t *digest, size_t size, const Text *names, size_t count) {
    Blake2b state;
    blake2b_begin(&state, size);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            blake2b_add(&state, "", 1);
        }
        blake2b_add(&state, names[i].at, names[i].size);
    }
    blake2b_end(&state, digest);
}

/* As `content_of` has it: the names and codes, the day in digits, and the payload as sent. */
static void hash_content(uint8_t *digest, const Value *values, const uint8_t *payload, const uint8_t *end) {
    static const uint8_t SAID[] = {ITEM, AGENCY, SOURCE_UNIT, RECORD_NO, SUBJECT_KIND, SUBJECT_CODE_KIND, SUBJECT_CODE,
                                   SUBJECT_NAME};
    char day[24];
    int digits = snprintf(day, sizeof day, "%lld", (long long)values[DECIDED_ON].number);
    Blake2b state;
    blake2b_begin(&state, CONTENT);
    for (size_t i = 0; i < sizeof SAID; i++) {
        blake2b_add(&state, values[SAID[i]].text.at, values[SAID[i]].text.size);
        blake2b_add(&state, "", 1);
    }
    blake2b_add(&state, day, (size_t)digits);
    blake2b_add(&state, payload, (size_t)(end - payload));
    blake2b_end(&state, digest);
}

/* RecordAccepted of version 1, framed. */
static PyObject *record_value(const Context *context, const Edition *edition, Text agency, const uint8_t *record_id,
                              const Value *values, int64_t due, Text value) {
    Text head = bytes_of(context->record_head), facts = bytes_of(edition->facts);
    Text action = values[ACTION].text, submission_id = values[SUBMISSION_ID].text;
    size_t size = head.size + RECORD_ID + 1 + facts.size + string_size(action) + string_size(agency) +
                  string_size(submission_id) + long_size(context->now) + 1 + long_size(due) + string_size(value);
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (made == NULL) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)PyBytes_AS_STRING(made);
    at = put(at, head);
    at = put(at, (Text){record_id, RECORD_ID});
    at = put_long(at, 1);
    at = put(at, facts);
    at = put_string(at, action);
    at = put_string(at, agency);
    at = put_string(at, submission_id);
    at = put_long(at, context->now);
    at = put_long(at, 1); /* the branch of the union */
    at = put_long(at, due);
    put_string(at, value);
    return made;
}

/* The receipt ACCEPTED without faults, framed. */
static PyObject *receipt_value(const Context *context, const uint8_t *record_id, const Value *values, int64_t received,
                               int64_t due) {
    static const Text ACCEPTED = {(const uint8_t *)"ACCEPTED", 8};
    Text head = bytes_of(context->receipt_head);
    Text submission_id = values[SUBMISSION_ID].text, record_no = values[RECORD_NO].text, item = values[ITEM].text;
    size_t size = head.size + string_size(submission_id) + string_size(record_no) + string_size(item) +
                  string_size(ACCEPTED) + 2 + 2 * RECORD_ID + 1 + long_size(received) + long_size(context->now) + 1 +
                  long_size(due);
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (made == NULL) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)PyBytes_AS_STRING(made);
    at = put(at, head);
    at = put_string(at, submission_id);
    at = put_string(at, record_no);
    at = put_string(at, item);
    at = put_string(at, ACCEPTED);
    at = put_long(at, 1);
    at = put_long(at, 2 * RECORD_ID);
    for (size_t i = 0; i < RECORD_ID; i++) {
        *at++ = (uint8_t)"0123456789abcdef"[record_id[i] >> 4];
        *at++ = (uint8_t)"0123456789abcdef"[record_id[i] & 15];
    }
    at = put_long(at, 0); /* no faults */
    at = put_long(at, received);
    at = put_long(at, context->now);
    at = put_long(at, 1);
    put_long(at, due);
    return made;
}

/* --- one message ------------------------------------------------------------------------------------------------ */

static bool is_tuple_of(PyObject *object, Py_ssize_t size) {
    return PyTuple_Check(object) && PyTuple_GET_SIZE(object) == size;
}

static bool open_message(PyObject *message, Sent *sent) {
    if (!is_tuple_of(message, MESSAGE_FIELDS)) {
        return false;
    }
    *sent = (Sent){PyTuple_GET_ITEM(message, 0), PyTuple_GET_ITEM(message, 1), PyTuple_GET_ITEM(message, 3),
                   PyTuple_GET_ITEM(message, 4), 0};
    PyObject *timestamp = PyTuple_GET_ITEM(message, 6);
    if (!PyUnicode_Check(sent->topic) || !PyBytes_CheckExact(sent->key) || !PyBytes_CheckExact(sent->value) ||
        !PyLong_CheckExact(sent->partition) || !PyLong_Check(timestamp)) {
        return false;
    }
    int overflow = 0;
    sent->timestamp = PyLong_AsLongLongAndOverflow(timestamp, &overflow);
    return overflow == 0;
}

/* 1: found, 0: not known, -1: an exception is set. The last one is remembered: messages come in runs. */
static int find_edition(const Context *context, Text value, Edition *edition) {
    if (value.size < HEAD || value.at[0] != 0) {
        return 0;
    }
    long long schema_id = (long long)value.at[1] << 24 | value.at[2] << 16 | value.at[3] << 8 | value.at[4];
    if (edition->held != NULL && edition->schema_id == schema_id) {
        return 1;
    }
    PyObject *key = PyLong_FromLongLong(schema_id);
    if (key == NULL) {
        return -1;
    }
    PyObject *found = PyDict_GetItemWithError(context->editions, key);
    Py_DECREF(key);
    if (found == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *table;
    Edition opened = {.held = found, .schema_id = schema_id};
    if (!PyArg_ParseTuple(found, "SUO!O!SO!O", &table, &opened.item, &PyLong_Type, &opened.version, &PyLong_Type,
                          &opened.id, &opened.facts, &PyDict_Type, &opened.due_days, &opened.due_on)) {
        return -1;
    }
    if (!open_program(bytes_of(table).at, bytes_of(table).size, &opened.program)) {
        PyErr_SetString(PyExc_ValueError, "not the table of an item");
        return -1;
    }
    Py_INCREF(found);
    Py_XDECREF(edition->held);
    *edition = opened;
    return 1;
}

static int find_source(const Context *context, PyObject *topic, Source *source) {
    if (source->topic == topic) {
        return 1;
    }
    PyObject *found = PyDict_GetItemWithError(context->sources, topic);
    if (found == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    Source opened = {.held = found, .topic = topic};
    if (!PyArg_ParseTuple(found, "UUO!", &opened.agency, &opened.receipts, &PyFrozenSet_Type, &opened.schema_ids) ||
        utf8_of(opened.agency).at == NULL) {
        return -1;
    }
    Py_INCREF(found);
    Py_INCREF(topic);
    Py_XDECREF(source->held);
    Py_XDECREF(source->topic);
    *source = opened;
    return 1;
}

/* The day a report was due, a new reference; None: a note goes with it, so Python is to say. NULL: an exception. */
static PyObject *due_day(const Edition *edition, int64_t decided_on) {
    PyObject *day = PyLong_FromLongLong(decided_on);
    if (day == NULL) {
        return NULL;
    }
    PyObject *due = PyDict_GetItemWithError(edition->due_days, day);
    Py_XINCREF(due);
    if (due == NULL && !PyErr_Occurred()) {
        due = PyObject_CallOneArg(edition->due_on, day);
        if (due != NULL && PyDict_SetItem(edition->due_days, day, due) < 0) {
            Py_CLEAR(due);
        }
    }
    Py_DECREF(day);
    return due;
}

static PyObject *action_of(const Context *context, Text action) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(context->actions); i++) {
        PyObject *known = PyTuple_GET_ITEM(context->actions, i);
        if (text_equals(utf8_of(known), action)) {
            return known;
        }
    }
    return NULL;
}

/* What will be announced if this becomes version 1: the record, then the receipt. */
static PyObject *make_ahead(const Context *context, const Edition *edition, const Source *source, const Sent *sent,
                            const Value *values, PyObject *record_id, PyObject *submission_id, int64_t received,
                            int64_t due) {
    const uint8_t *id = bytes_of(record_id).at;
    PyObject *record = NAMED(
        context->outgoing, Py_NewRef(context->record_topic), Py_NewRef(record_id),
        record_value(context, edition, utf8_of(source->agency), id, values, due, bytes_of(sent->value)),
        Py_NewRef(Py_None), Py_NewRef(context->nothing), Py_NewRef(context->empty), Py_NewRef(context->empty));
    PyObject *receipt =
        NAMED(context->outgoing, Py_NewRef(source->receipts), Py_NewRef(sent->key),
              receipt_value(context, id, values, received, due), Py_NewRef(sent->partition),
              Py_NewRef(context->nothing), Py_NewRef(context->receipt_kind), Py_NewRef(submission_id));
    PyObject *both = record != NULL && receipt != NULL ? PyTuple_Pack(2, record, receipt) : NULL;
    Py_XDECREF(record);
    Py_XDECREF(receipt);
    if (both != NULL) {
        PyObject_GC_UnTrack(both); /* as above */
    }
    return both;
}

static PyObject *make_submission(const Context *context, const Edition *edition, const Source *source, const Sent *sent,
                                 const Value *values, const uint8_t *payload, PyObject *due_object, int64_t due) {
    Text value = bytes_of(sent->value), agency = utf8_of(source->agency);
    uint8_t content[CONTENT], digest[DIGEST], id[RECORD_ID];
    hash_content(content, values, payload, value.at + value.size);
    hash_names(digest, DIGEST, &values[SUBMISSION_ID].text, 1);
    hash_names(id, RECORD_ID, (Text[]){agency, values[ITEM].text, values[RECORD_NO].text}, 3);
    int64_t received = sent->timestamp < 0 ? 0 : sent->timestamp;
    received = received > context->now ? context->now : received;
    PyObject *action = action_of(context, values[ACTION].text); /* borrowed; the table lets no other through */
    PyObject *submission_id = str_from(values[SUBMISSION_ID].text);
    PyObject *record_id = bytes_from(id, RECORD_ID), *ahead = NULL;
    if (!text_is(values[ACTION].text, "report")) {
        ahead = Py_NewRef(Py_None); /* version 1 is always reported */
    } else if (submission_id != NULL && record_id != NULL) {
        ahead = make_ahead(context, edition, source, sent, values, record_id, submission_id, received, due);
    }
    PyObject *origin = NAMED(context->origin, Py_NewRef(source->agency), Py_NewRef(sent->partition), Py_NewRef(sent->key),
                             PyLong_FromLongLong(received), Py_NewRef(context->now_object));
    return NAMED(context->submission, origin, submission_id, str_from(values[RECORD_NO].text),
                 Py_NewRef(edition->item), Py_NewRef(edition->version), Py_NewRef(edition->id), Py_XNewRef(action),
                 bytes_from(content, CONTENT), bytes_from(digest, DIGEST),
                 PyLong_FromLongLong(values[PRODUCED_AT].number), record_id, Py_NewRef(due_object),
                 Py_NewRef(edition->facts), Py_NewRef(sent->value), Py_NewRef(context->nothing),
                 Py_NewRef(context->nothing), PyLong_FromLongLong(values[DECIDED_ON].number),
                 PyBool_FromLong(values[SOURCE_UNIT].text.size > 0), ahead);
}

/* The rules of the envelope that are no property of the item: who, when, under which key. */
static int is_admitted(const Context *context, const Edition *edition, const Source *source, const Sent *sent,
                       const Value *values) {
    if (!text_equals(values[AGENCY].text, utf8_of(source->agency)) ||
        !text_equals(values[RECORD_NO].text, bytes_of(sent->key)) || values[DECIDED_ON].number > context->today ||
        values[PRODUCED_AT].number > context->latest) {
        return 0;
    }
    return PySet_Contains(source->schema_ids, edition->id);
}

/* A new reference to a submission or None; NULL with an exception. */
static PyObject *read_one(const Context *context, Edition *edition, Source *source, PyObject *message) {
    Sent sent;
    Value values[SLOTS];
    const uint8_t *payload = NULL;
    if (!open_message(message, &sent)) {
        Py_RETURN_NONE;
    }
    Text value = bytes_of(sent.value);
    int found = find_edition(context, value, edition);
    found = found == 1 ? find_source(context, sent.topic, source) : found;
    if (found == 1 && read_slots(&edition->program, (Text){value.at + HEAD, value.size - HEAD}, values, &payload) &&
        certainly_valid(&edition->program, values)) {
        found = is_admitted(context, edition, source, &sent, values);
    } else {
        found = found == 1 ? 0 : found;
    }
    if (found < 0) {
        return NULL;
    }
    PyObject *due = found == 1 ? due_day(edition, values[DECIDED_ON].number) : Py_NewRef(Py_None);
    if (due == NULL || due == Py_None) {
        return due;
    }
    int64_t day = PyLong_AsLongLong(due);
    PyObject *made = NULL;
    if (day != -1 || !PyErr_Occurred()) {
        made = make_submission(context, edition, source, &sent, values, payload, due, day);
    }
    Py_DECREF(due);
    return made;
}

static bool is_named_tuple(PyTypeObject *type) { return PyType_IsSubtype(type, &PyTuple_Type); }

static bool open_context(PyObject *given, Context *context) {
    if (!PyArg_ParseTuple(given, "O!O!O!O!O!O!USUS", &PyType_Type, &context->submission, &PyType_Type, &context->origin,
                          &PyType_Type, &context->outgoing, &PyDict_Type, &context->editions, &PyDict_Type,
                          &context->sources, &PyTuple_Type, &context->actions, &context->record_topic,
                          &context->record_head, &context->receipt_kind, &context->receipt_head)) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(context->actions); i++) {
        PyObject *action = PyTuple_GET_ITEM(context->actions, i);
        if (!PyUnicode_Check(action)) {
            PyErr_SetString(PyExc_TypeError, "actions are texts");
            return false;
        }
        if (utf8_of(action).at == NULL) {
            return false;
        }
    }
    if (!is_named_tuple(context->submission) || !is_named_tuple(context->origin) || !is_named_tuple(context->outgoing)) {
        PyErr_SetString(PyExc_TypeError, "named tuples are needed");
        return false;
    }
    return true;
}

static PyObject *read_all(const Context *context, PyObject *messages) {
    Edition edition = {0};
    Source source = {0};
    Py_ssize_t count = PyTuple_GET_SIZE(messages);
    PyObject *read = PyList_New(count);
    for (Py_ssize_t i = 0; read != NULL && i < count; i++) {
        PyObject *one = read_one(context, &edition, &source, PyTuple_GET_ITEM(messages, i));
        if (one == NULL) {
            Py_CLEAR(read);
        } else {
            PyList_SET_ITEM(read, i, one);
        }
    }
    Py_XDECREF(edition.held);
    Py_XDECREF(source.held);
    Py_XDECREF(source.topic);
    return read;
}

static PyObject *read_many(PyObject *module, PyObject *arguments) {
    PyObject *given, *messages, *now;
    Context context = {0};
    long long moment, today, latest;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!OLLL", &PyTuple_Type, &given, &messages, &moment, &today, &latest) ||
        !open_context(given, &context)) {
        return NULL;
    }
    context.now = moment, context.today = today, context.latest = latest;
    /* A tuple of our own: nobody can take a message out of it meanwhile. */
    messages = PySequence_Tuple(messages);
    context.nothing = PyTuple_New(0);
    context.empty = PyUnicode_New(0, 0);
    context.now_object = now = PyLong_FromLongLong(moment);
    PyObject *read = NULL;
    if (messages != NULL && context.nothing != NULL && context.empty != NULL && now != NULL) {
        read = read_all(&context, messages);
    }
    Py_XDECREF(messages);
    Py_XDECREF(context.nothing);
    Py_XDECREF(context.empty);
    Py_XDECREF(now);
    return read;
}

static PyObject *digest(PyObject *module, PyObject *arguments) {
    Py_buffer data;
    Py_ssize_t size;
    uint8_t made[64];
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*n", &data, &size)) {
        return NULL;
    }
    if (size < 1 || size > (Py_ssize_t)sizeof made) {
        PyBuffer_Release(&data);
        return PyErr_Format(PyExc_ValueError, "a digest has 1 to 64 bytes");
    }
    hash_names(made, (size_t)size, &(Text){data.buf, (size_t)data.len}, 1);
    PyBuffer_Release(&data);
    return bytes_from(made, (size_t)size);
}

static PyMethodDef METHODS[] = {
    {"read_many", read_many, METH_VARARGS, "read_many(context, messages, now, today, latest) -> list"},
    {"digest", digest, METH_VARARGS, "digest(data, size) -> bytes: BLAKE2b as it is used here, for its test"},
    {NULL, NULL, 0, NULL},
};

static int fill_module(PyObject *module) { return PyModule_AddIntConstant(module, "TABLE_VERSION", TABLE_VERSION); }

static PyModuleDef_Slot SLOTS_OF_MODULE[] = {{Py_mod_exec, (void *)fill_module}, {0, NULL}};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_reader", "Reads batches of submissions; see contracts/batch_reader.py.", 0, METHODS,
    SLOTS_OF_MODULE, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__reader(void);
PyMODINIT_FUNC PyInit__reader(void) { return PyModuleDef_Init(&MODULE); }
