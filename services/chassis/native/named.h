/* Named tuples, made without a call of their class. */
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

/* A named tuple of these items, which it takes over; NULL, and nothing kept, where one of them is NULL. All that is put
 * into it must be free of cycles: the collector does not look at it.
 */
static inline PyObject *named(PyTypeObject *type, PyObject *const *items, Py_ssize_t count) {
    PyObject *made = type->tp_alloc(type, count);
    bool whole = made != NULL;
#if PY_VERSION_HEX >= 0x030E0000
    if (whole) {
        ((PyTupleObject *)made)->ob_hash = -1; /* not yet computed; the allocator leaves a zero */
    }
#endif
    for (Py_ssize_t i = 0; i < count; i++) {
        whole = whole && items[i] != NULL;
        if (made == NULL) {
            Py_XDECREF(items[i]);
        } else {
            PyTuple_SET_ITEM(made, i, items[i]);
        }
    }
    if (!whole) {
        Py_CLEAR(made);
        return NULL;
    }
    PyObject_GC_UnTrack(made);
    return made;
}
#define NAMED(type, ...) \
    named(type, (PyObject *[]){__VA_ARGS__}, (Py_ssize_t)(sizeof((PyObject *[]){__VA_ARGS__}) / sizeof(PyObject *)))
