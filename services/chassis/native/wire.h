/* What the parts of _wire have in common. */
#pragma once
#include "buffer.h"

extern PyType_Spec FIELDS;
PyObject *pack(PyObject *module, PyObject *arguments);
