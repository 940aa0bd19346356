/* _wire: the flat fields of Avro and the records of Kafka, natively. */
#include "wire.h"

enum { VERSION = 1 };

static PyMethodDef METHODS[] = {
    {"pack", pack, METH_VARARGS, "pack(placed, first_position, origin, front_of, limit) -> [(section, count, records)]"},
    {NULL, NULL, 0, NULL},
};

static int fill_module(PyObject *module) {
    PyObject *fields = PyType_FromSpec(&FIELDS);
    if (fields == NULL || PyModule_AddIntConstant(module, "VERSION", VERSION) < 0) {
        Py_XDECREF(fields);
        return -1;
    }
    int added = PyModule_AddObjectRef(module, "Fields", fields);
    Py_DECREF(fields);
    return added;
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, (void *)fill_module}, {0, NULL}};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_wire", "Flat Avro fields and Kafka records; see prefix.py and sealing.py.", 0, METHODS, SLOTS,
    NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__wire(void);
PyMODINIT_FUNC PyInit__wire(void) { return PyModuleDef_Init(&MODULE); }
