#include "CudaQueue.h"
#include "Operators.h"
#include "PairRun.h"

namespace diffpair::cuda {

template <class Real>
void splineSums(const PairTopology& topology, const std::vector<Box>& boxes, const TableGrid& grid, const Real* x, double* sums,
                Stream stream, DeviceMemory& memory) {
    withLongEnoughRows(guessCapacity(topology, boxes, grid.cutoff), [&](int capacity) {
        CudaQueue queue(stream, memory);
        return splineSums<Real>(queue, {topology, boxes, grid, x}, sums, capacity);
    });
}

template <class Real>
void pairForces(const PairTopology& topology, const std::vector<Box>& boxes, const TableGrid& grid, const double* coefficients,
                int numTables, const Real* x, Real* forces, double* energy, double* virial, Stream stream, DeviceMemory& memory) {
    withLongEnoughRows(guessCapacity(topology, boxes, grid.cutoff), [&](int capacity) {
        CudaQueue queue(stream, memory);
        return pairForces<Real>(queue, {topology, boxes, grid, x}, coefficients, numTables, forces, energy, virial, capacity);
    });
}

#define DIFFPAIR_INSTANTIATE(Real)                                                                                               \
    template void splineSums<Real>(const PairTopology&, const std::vector<Box>&, const TableGrid&, const Real*, double*, Stream, \
                                   DeviceMemory&);                                                                               \
    template void pairForces<Real>(const PairTopology&, const std::vector<Box>&, const TableGrid&, const double*, int,           \
                                   const Real*, Real*, double*, double*, Stream, DeviceMemory&);
DIFFPAIR_INSTANTIATE(float)
DIFFPAIR_INSTANTIATE(double)
#undef DIFFPAIR_INSTANTIATE

} // namespace diffpair::cuda
