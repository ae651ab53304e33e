// The core's histogram of pair distances for diffpair.observables.rdf: NumPy arrays by the buffer protocol, which needs no
// headers of NumPy.

%{
#include "diffpair/PairHistogram.h"

namespace {

/** An array of the caller, contiguous and of the expected type and size. */
class ArrayView {
public:
    ArrayView(PyObject* array, const char* format, size_t itemSize, size_t size, bool writable, const char* name) {
        if (PyObject_GetBuffer(array, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)) != 0) {
            PyErr_Clear();
            throw OpenMM::OpenMMException(std::string(name) + " is not a contiguous array");
        }
        if (!view.format || std::string(format).find(view.format) == std::string::npos ||
            static_cast<size_t>(view.itemsize) != itemSize || static_cast<size_t>(view.len) != size * itemSize) {
            PyBuffer_Release(&view);
            throw OpenMM::OpenMMException(std::string(name) + " has the wrong type or size");
        }
    }
    ~ArrayView() {
        PyBuffer_Release(&view);
    }
    ArrayView(const ArrayView&) = delete;
    ArrayView& operator=(const ArrayView&) = delete;
    template <class Value> Value* data() const {
        return static_cast<Value*>(view.buf);
    }

private:
    Py_buffer view;
};

/** Other Python threads run on meanwhile. */
class WithoutGil {
public:
    WithoutGil() : state(PyEval_SaveThread()) {
    }
    ~WithoutGil() {
        PyEval_RestoreThread(state);
    }

private:
    PyThreadState* state;
};

} // namespace
%}

%inline %{
/** See diffpair.observables.rdf.count_pairs, which calls this. */
void _countPairs(PyObject* positions, PyObject* boxes, int numFrames, PyObject* types, int numAtoms, int numTypes,
                 PyObject* exclusions, int numExclusions, double low, double high, int bins, int threads, PyObject* counts,
                 PyObject* shortest) {
    const size_t pairs = static_cast<size_t>(numTypes) * (numTypes + 1) / 2, frames = numFrames;
    const ArrayView x(positions, "d", sizeof(double), 3 * frames * numAtoms, false, "positions");
    const ArrayView cells(boxes, "d", sizeof(double), 9 * frames, false, "boxes");
    const ArrayView kinds(types, "i", sizeof(int), numAtoms, false, "types");
    const ArrayView excluded(exclusions, "i", sizeof(int), 2 * static_cast<size_t>(numExclusions), false, "exclusions");
    const ArrayView found(counts, "lq", sizeof(int64_t), frames * pairs * bins, true, "counts");
    const ArrayView nearest(shortest, "d", sizeof(double), frames * pairs, true, "shortest");
    const WithoutGil released;
    diffpair::PairTopology topology;
    topology.numAtoms = numAtoms;
    topology.numTypes = numTypes;
    topology.types.assign(kinds.data<int>(), kinds.data<int>() + numAtoms);
    topology.exclusions = diffpair::Exclusions(
        numAtoms, std::vector<int>(excluded.data<int>(), excluded.data<int>() + 2 * static_cast<size_t>(numExclusions)));
    diffpair::countPairs(topology, {low, high, bins}, x.data<double>(), cells.data<double>(), numFrames, threads,
                         found.data<int64_t>(), nearest.data<double>());
}
%}
