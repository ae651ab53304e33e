// Conversions between Python and C++, and exceptions.

%include <std_string.i>
%include <typemaps.i>
// OpenMM's own: they strip units. Of what they offer for vectors, which needs numpy's headers, nothing is used here.
%include "swig/typemaps.i"

%exception {
    try {
        $action
    } catch (const std::exception& problem) {
        PyObject* openmm = PyImport_ImportModule("openmm");
        PyObject* type = openmm ? PyObject_GetAttrString(openmm, "OpenMMException") : nullptr;
        if (type)
            PyErr_SetString(type, problem.what());
        Py_XDECREF(type);
        Py_XDECREF(openmm);
        SWIG_fail;
    }
}

%fragment("DiffPair_numbers", "header") {
/** Any iterable of numbers, as a whole or one by one with units. Returns false with a Python exception set. */
static bool DiffPair_toNumbers(PyObject* object, std::vector<double>& numbers) {
    PyObject* stripped = Py_StripOpenMMUnits(object);
    PyObject* iterator = stripped ? PyObject_GetIter(stripped) : nullptr;
    Py_XDECREF(stripped);
    if (!iterator)
        return false;
    while (PyObject* item = PyIter_Next(iterator)) {
        PyObject* value = Py_StripOpenMMUnits(item);
        numbers.push_back(value ? PyFloat_AsDouble(value) : 0.0);
        Py_XDECREF(value);
        Py_DECREF(item);
        if (PyErr_Occurred())
            break;
    }
    Py_DECREF(iterator);
    return !PyErr_Occurred();
}

static PyObject* DiffPair_fromNumbers(const std::vector<double>& numbers) {
    PyObject* tuple = PyTuple_New(numbers.size());
    for (size_t i = 0; tuple && i < numbers.size(); i++)
        PyTuple_SET_ITEM(tuple, i, PyFloat_FromDouble(numbers[i]));
    return tuple;
}
}

%typemap(in, fragment="DiffPair_numbers") const std::vector<double>& (std::vector<double> numbers) {
    if (!DiffPair_toNumbers($input, numbers))
        SWIG_fail;
    $1 = &numbers;
}
%typemap(typecheck, precedence=SWIG_TYPECHECK_DOUBLE_ARRAY) const std::vector<double>& {
    $1 = !PyUnicode_Check($input) && !PyBytes_Check($input);
}
%typemap(out, fragment="DiffPair_numbers") std::vector<double> {
    $result = DiffPair_fromNumbers($1);
}
%typemap(out, fragment="DiffPair_numbers") const std::vector<double>& {
    $result = DiffPair_fromNumbers(*$1);
}

%fragment("DiffPair_index", "header") {
/** A Python integer that fits an int; sets a Python exception if it does not. */
static int DiffPair_toIndex(PyObject* object) {
    int overflow = 0;
    PyObject* integer = PyNumber_Index(object); // numpy's integers too
    const long value = integer ? PyLong_AsLongAndOverflow(integer, &overflow) : 0;
    if (integer && (overflow || value != static_cast<int>(value)))
        PyErr_Format(PyExc_OverflowError, "%S is no index of a particle: it needs more than 32 bits", integer);
    Py_XDECREF(integer);
    return static_cast<int>(value);
}
}

%typemap(in, fragment="DiffPair_index") const std::vector<std::pair<int, int>>& bonds (std::vector<std::pair<int, int>> pairs) {
    PyObject* iterator = PyObject_GetIter($input);
    if (!iterator)
        SWIG_fail;
    while (PyObject* item = PyIter_Next(iterator)) {
        PyObject* tuple = PySequence_Tuple(item);
        Py_DECREF(item);
        if (tuple && PyTuple_GET_SIZE(tuple) == 2)
            pairs.emplace_back(DiffPair_toIndex(PyTuple_GET_ITEM(tuple, 0)), DiffPair_toIndex(PyTuple_GET_ITEM(tuple, 1)));
        else if (tuple)
            PyErr_SetString(PyExc_ValueError, "a bond must be a pair of particle indices");
        Py_XDECREF(tuple);
        if (PyErr_Occurred())
            break;
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred())
        SWIG_fail;
    $1 = &pairs;
}

%apply int& OUTPUT {int& particle1, int& particle2};

// The module of a TorchPairForce is bytes, not text.
%typemap(in) const std::string& module (std::string bytes) {
    char* data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize($input, &data, &size) < 0)
        SWIG_fail;
    bytes.assign(data, size);
    $1 = &bytes;
}
%typemap(typecheck, precedence=SWIG_TYPECHECK_STRING) const std::string& module {
    $1 = PyBytes_Check($input);
}
%typemap(freearg) const std::string& module ""
%typemap(out) const std::string& DiffPairPlugin::TorchPairForce::getModule {
    $result = PyBytes_FromStringAndSize($1->data(), $1->size());
}
%typemap(out) std::string DiffPairPlugin::TorchPairForce::readModule {
    $result = PyBytes_FromStringAndSize($1.data(), $1.size());
}
