/* Fields(kinds, error): flat Avro fields, read(data, at) and write(value ...); prefix.py has the same in Python. */
#include "wire.h"

typedef enum { LONG, STRING, BYTES, FIXED, AVRO } Kind;

typedef struct {
    Kind kind;
    bool optional; /* a union of null and the kind, null first */
    size_t size;   /* of FIXED */
} Field;

typedef struct {
    PyObject_VAR_HEAD
    PyObject *error; /* raised with a code for what cannot be read */
    Field fields[];
} Fields;

typedef struct {
    const uint8_t *data;
    size_t size, at; /* `at` may be beyond the end: then nothing more can be read, and the whole is TRUNCATED */
    PyObject *error;
} Input;

static bool refuse(const Input *input, const char *code) {
    PyErr_SetString(input->error, code);
    return false;
}

static bool take_long(Input *input, int64_t *number) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (input->at >= input->size) {
            return refuse(input, "TRUNCATED");
        }
        uint8_t byte = input->data[input->at++];
        if (shift == 63 && byte > 1) {
            return refuse(input, "LONG_TOO_LONG");
        }
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *number = (int64_t)(value >> 1 ^ (~(value & 1) + 1));
            return true;
        }
    }
    return refuse(input, "LONG_TOO_LONG");
}

/* What is there of `size` bytes; the end of the data is found out by whoever reads on, and at the end of all. */
static const char *take(Input *input, size_t size, size_t *there) {
    size_t left = input->at < input->size ? input->size - input->at : 0;
    const char *data = (const char *)input->data + (input->at < input->size ? input->at : input->size);
    *there = size < left ? size : left;
    input->at = size <= left ? input->at + size : input->size + 1;
    return data;
}

static PyObject *take_text(Input *input, bool decoded) {
    int64_t size;
    size_t there;
    if (!take_long(input, &size)) {
        return NULL;
    }
    if (size < 0) {
        refuse(input, "TRUNCATED");
        return NULL;
    }
    const char *data = take(input, (size_t)size, &there);
    if (!decoded) {
        return PyBytes_FromStringAndSize(data, (Py_ssize_t)there);
    }
    PyObject *text = PyUnicode_DecodeUTF8(data, (Py_ssize_t)there, "strict");
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        refuse(input, "NOT_UTF8");
    }
    return text;
}

static PyObject *take_field(Input *input, const Field *field) {
    int64_t number;
    size_t there;
    if (field->optional) {
        if (!take_long(input, &number)) {
            return NULL;
        }
        if (number != 0 && number != 1) {
            refuse(input, "NO_SUCH_BRANCH");
            return NULL;
        }
        if (number == 0) {
            return Py_NewRef(Py_None);
        }
    }
    if (field->kind == LONG) {
        return take_long(input, &number) ? PyLong_FromLongLong(number) : NULL;
    }
    if (field->kind == FIXED) {
        const char *data = take(input, field->size, &there);
        return PyBytes_FromStringAndSize(data, (Py_ssize_t)there);
    }
    return take_text(input, field->kind == STRING);
}

static PyObject *fields_read(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    Fields *fields = (Fields *)self;
    if (count != 2 || !PyBytes_Check(arguments[0])) {
        return PyErr_Format(PyExc_TypeError, "read(data: bytes, at: int)");
    }
    Py_ssize_t at = PyLong_AsSsize_t(arguments[1]), number = Py_SIZE(self);
    if (at < 0) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "at is negative");
    }
    PyObject *data = arguments[0], *found = PyTuple_New(number + 1);
    Input input = {(const uint8_t *)PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data), (size_t)at, fields->error};
    for (Py_ssize_t i = 0; found != NULL && i <= number; i++) {
        if (i == number && input.at > input.size) {
            refuse(&input, "TRUNCATED");
        }
        bool last = i == number;
        PyObject *one = PyErr_Occurred() ? NULL : last ? PyLong_FromSize_t(input.at) : take_field(&input, &fields->fields[i]);
        if (one == NULL) {
            Py_CLEAR(found);
        } else {
            PyTuple_SET_ITEM(found, i, one);
        }
    }
    return found;
}

static bool put_field(Buffer *out, const Field *field, PyObject *value) {
    if (field->optional) {
        if (!put_raw(out, value == Py_None ? "\0" : "\2", 1) || value == Py_None) {
            return !PyErr_Occurred();
        }
    }
    if (field->kind == LONG) {
        int64_t number = PyLong_AsLongLong(value);
        return !(number == -1 && PyErr_Occurred()) && put_long(out, number);
    }
    Py_ssize_t size;
    if (field->kind == STRING) {
        const char *text = PyUnicode_AsUTF8AndSize(value, &size);
        return text != NULL && put_bytes(out, text, (size_t)size);
    }
    char *data;
    if (PyBytes_AsStringAndSize(value, &data, &size) < 0) {
        return false;
    }
    return field->kind == BYTES ? put_bytes(out, data, (size_t)size) : put_raw(out, data, (size_t)size);
}

static PyObject *fields_write(PyObject *self, PyObject *const *values, Py_ssize_t count) {
    Fields *fields = (Fields *)self;
    Buffer out = {0};
    if (count != Py_SIZE(self)) {
        return PyErr_Format(PyExc_TypeError, "%zd values, not %zd", Py_SIZE(self), count);
    }
    bool whole = buffer_reserve(&out, 512);
    for (Py_ssize_t i = 0; whole && i < count; i++) {
        whole = put_field(&out, &fields->fields[i], values[i]);
    }
    PyObject *written = whole ? PyBytes_FromStringAndSize((const char *)out.at, (Py_ssize_t)out.size) : NULL;
    buffer_free(&out);
    return written;
}

static bool parse(Field *field, PyObject *kind) {
    static const char *const NAMES[] = {"long", "string", "bytes", "fixed", "avro"};
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(kind, &size);
    if (text == NULL) {
        return false;
    }
    field->optional = size > 0 && text[size - 1] == '?';
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        size_t name = strlen(NAMES[i]), rest = (size_t)size - field->optional;
        if (rest >= name && strncmp(text, NAMES[i], name) == 0 && (rest == name) == (i != FIXED)) {
            field->kind = (Kind)i;
            field->size = i == FIXED ? strtoul(text + name, NULL, 10) : 0;
            return true;
        }
    }
    PyErr_Format(PyExc_ValueError, "no such kind: %U", kind);
    return false;
}

static PyObject *fields_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    PyObject *kinds, *error;
    if (named != NULL || !PyArg_ParseTuple(arguments, "OO", &kinds, &error) ||
        (kinds = PySequence_Tuple(kinds)) == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(kinds);
    Fields *fields = (Fields *)type->tp_alloc(type, count);
    for (Py_ssize_t i = 0; fields != NULL && i < count; i++) {
        if (!parse(&fields->fields[i], PyTuple_GET_ITEM(kinds, i))) {
            Py_CLEAR(fields);
        }
    }
    Py_DECREF(kinds);
    if (fields != NULL) {
        fields->error = Py_NewRef(error);
    }
    return (PyObject *)fields;
}

static void fields_free(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((Fields *)self)->error);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef METHODS[] = {
    {"read", (PyCFunction)(void (*)(void))fields_read, METH_FASTCALL, "read(data, at) -> (value ..., where the rest begins)"},
    {"write", (PyCFunction)(void (*)(void))fields_write, METH_FASTCALL, "write(value ...) -> the fields as Avro has them"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_new, (void *)fields_new}, {Py_tp_dealloc, (void *)fields_free}, {Py_tp_methods, METHODS}, {0, NULL}};

PyType_Spec FIELDS = {"services.chassis.native._wire.Fields", sizeof(Fields), sizeof(Field), Py_TPFLAGS_DEFAULT, SLOTS};
