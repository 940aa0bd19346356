/* pack(placed, first_position, origin, front_of, limit): events as records of Kafka's message format v2, by partition.
 * sealing.py has the same in Python and compresses what comes of it.
 */
#include "wire.h"

enum { TOPIC, KEY, VALUE, PARTITION, HEADERS, KIND, SUBJECT, EVENT_FIELDS }; /* of message.Outgoing */

typedef struct {
    PyObject *section; /* owned */
    Buffer records;
    size_t count, size; /* `size` without the length before each record: the limit counts it so */
} Filling;

typedef struct {
    PyObject *origin, *front_of;
    PyObject *fronts;  /* (kind, headers) -> bytes */
    PyObject *places;  /* section -> its number in `filling` */
    PyObject *sealed;  /* list of (section, count, bytes) */
    Filling *filling;
    size_t sections, limit;
} Packing;

static bool close_batch(Packing *packing, Filling *batch) {
    const char *at = (const char *)batch->records.at;
    PyObject *one = Py_BuildValue("(Ony#)", batch->section, (Py_ssize_t)batch->count, at, (Py_ssize_t)batch->records.size);
    bool done = one != NULL && PyList_Append(packing->sealed, one) == 0;
    Py_XDECREF(one);
    batch->records.size = batch->count = batch->size = 0;
    return done;
}

static Filling *open_batch(Packing *packing, PyObject *section) {
    Filling *filling = PyMem_Realloc(packing->filling, (packing->sections + 1) * sizeof *filling);
    if (filling == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    packing->filling = filling;
    PyObject *number = PyLong_FromSize_t(packing->sections);
    if (number == NULL || PyDict_SetItem(packing->places, section, number) < 0) {
        Py_XDECREF(number);
        return NULL;
    }
    Py_DECREF(number);
    filling[packing->sections] = (Filling){.section = Py_NewRef(section)};
    return &filling[packing->sections++];
}

static Filling *batch_for(Packing *packing, PyObject *section) {
    PyObject *number = PyDict_GetItemWithError(packing->places, section);
    if (number != NULL) {
        return &packing->filling[PyLong_AsSize_t(number)];
    }
    return PyErr_Occurred() ? NULL : open_batch(packing, section);
}

/* The headers up to the name of the position, the same for all events of a kind; a new reference. */
static PyObject *front_for(Packing *packing, PyObject *event) {
    PyObject *kind = PyTuple_Pack(2, PyTuple_GET_ITEM(event, KIND), PyTuple_GET_ITEM(event, HEADERS));
    if (kind == NULL) {
        return NULL;
    }
    PyObject *front = Py_XNewRef(PyDict_GetItemWithError(packing->fronts, kind));
    if (front == NULL && !PyErr_Occurred()) {
        front = PyObject_CallOneArg(packing->front_of, event);
        if (front != NULL && !PyBytes_Check(front)) {
            PyErr_SetString(PyExc_TypeError, "front_of gave no bytes");
            Py_CLEAR(front);
        } else if (front != NULL && PyDict_SetItem(packing->fronts, kind, front) < 0) {
            Py_CLEAR(front);
        }
    }
    Py_DECREF(kind);
    return front;
}

static bool put_object(Buffer *out, PyObject *bytes) {
    char *data;
    Py_ssize_t size;
    return PyBytes_AsStringAndSize(bytes, &data, &size) == 0 && put_bytes(out, data, (size_t)size);
}

/* The CloudEvents headers of this one event. */
static bool put_about(Buffer *out, const Packing *packing, PyObject *event, const char *said, size_t digits) {
    static const char ID[] = "\012ce_id", SUBJECT_NAME[] = "\024ce_subject"; /* with the zigzag of their lengths */
    PyObject *kind = PyTuple_GET_ITEM(event, KIND);
    if (PyUnicode_GetLength(kind) <= 0) {
        return !PyErr_Occurred();
    }
    Py_ssize_t size, origin = PyBytes_GET_SIZE(packing->origin);
    const char *subject = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(event, SUBJECT), &size);
    return subject != NULL && put_raw(out, ID, sizeof ID - 1) && put_long(out, origin + 1 + (int64_t)digits) &&
           put_raw(out, PyBytes_AS_STRING(packing->origin), (size_t)origin) && put_raw(out, "/", 1) &&
           put_raw(out, said, digits) && put_raw(out, SUBJECT_NAME, sizeof SUBJECT_NAME - 1) &&
           put_bytes(out, subject, (size_t)size);
}

/* All of a record but its number in the batch, into `body`. */
static bool put_body(Buffer *body, Packing *packing, PyObject *event, long long position) {
    char said[24];
    int digits = snprintf(said, sizeof said, "%lld", position);
    PyObject *front = front_for(packing, event);
    bool put = front != NULL && put_object(body, PyTuple_GET_ITEM(event, KEY)) &&
               put_object(body, PyTuple_GET_ITEM(event, VALUE)) &&
               put_raw(body, PyBytes_AS_STRING(front), (size_t)PyBytes_GET_SIZE(front)) &&
               put_bytes(body, said, (size_t)digits) && put_about(body, packing, event, said, (size_t)digits);
    Py_XDECREF(front);
    return put;
}

static bool add(Packing *packing, PyObject *section, const Buffer *body) {
    uint8_t number[LONG_BYTES];
    Filling *batch = batch_for(packing, section);
    if (batch == NULL ||
        (batch->count > 0 && batch->size + body->size > packing->limit && !close_batch(packing, batch))) {
        return false;
    }
    size_t digits = long_put(number, (int64_t)batch->count), size = 2 + digits + body->size;
    batch->count++;
    batch->size += size;
    /* attributes and the difference to the batch's timestamp: none */
    return put_long(&batch->records, (int64_t)size) && put_raw(&batch->records, "\0\0", 2) &&
           put_raw(&batch->records, number, digits) && put_raw(&batch->records, body->at, body->size);
}

static bool pack_all(Packing *packing, PyObject *placed, long long position) {
    Buffer body = {0};
    bool going = true;
    for (Py_ssize_t i = 0; going && i < PyTuple_GET_SIZE(placed); i++, position++) {
        PyObject *section, *event;
        going = PyArg_ParseTuple(PyTuple_GET_ITEM(placed, i), "OO", &section, &event);
        if (going && (!PyTuple_Check(event) || PyTuple_GET_SIZE(event) != EVENT_FIELDS)) {
            PyErr_SetString(PyExc_TypeError, "not an Outgoing");
            going = false;
        }
        body.size = 0;
        going = going && put_body(&body, packing, event, position) && add(packing, section, &body);
    }
    buffer_free(&body);
    for (size_t i = 0; going && i < packing->sections; i++) {
        going = packing->filling[i].count == 0 || close_batch(packing, &packing->filling[i]);
    }
    return going;
}

PyObject *pack(PyObject *module, PyObject *arguments) {
    PyObject *placed;
    long long position;
    Py_ssize_t limit;
    Packing packing = {0};
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OLO!On", &placed, &position, &PyBytes_Type, &packing.origin, &packing.front_of,
                          &limit)) {
        return NULL;
    }
    packing.limit = limit < 0 ? 0 : (size_t)limit;
    placed = PySequence_Tuple(placed); /* of our own: `front_of` is Python and could change another's list */
    packing.fronts = PyDict_New();
    packing.places = PyDict_New();
    packing.sealed = PyList_New(0);
    bool done = placed != NULL && packing.fronts != NULL && packing.places != NULL && packing.sealed != NULL &&
                pack_all(&packing, placed, position);
    for (size_t i = 0; i < packing.sections; i++) {
        buffer_free(&packing.filling[i].records);
        Py_DECREF(packing.filling[i].section);
    }
    PyMem_Free(packing.filling);
    Py_XDECREF(placed);
    Py_XDECREF(packing.fronts);
    Py_XDECREF(packing.places);
    if (!done) {
        Py_CLEAR(packing.sealed);
    }
    return packing.sealed;
}
