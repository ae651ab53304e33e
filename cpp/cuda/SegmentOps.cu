#include "CudaQueue.h"
#include "Operators.h"
#include "SegmentRunBack.h"

namespace diffpair::cuda {

namespace {

int firstCapacity(const SegmentProblem& problem) {
    return guessCapacity(*problem.topology, problem.boxes, problem.grid.cutoff + problem.skin);
}

} // namespace

template <class Real>
void runSegment(const SegmentProblem& problem, const Real* x0, const Real* v0, Real* framesX, Real* framesV, Real* kept,
                double* records, Stream stream, DeviceMemory& memory) {
    withLongEnoughRows(firstCapacity(problem), [&](int capacity) {
        CudaQueue queue(stream, memory);
        return runSegment<Real>(queue, problem, x0, v0, framesX, framesV, kept, records, capacity);
    });
}

template <class Real>
void runSegmentAdjoint(const SegmentProblem& problem, const Real* kept, const double* records, const Real* gradFramesX,
                       const Real* gradFramesV, Real* gradX0, Real* gradV0, double* gradCoefficients, double* gradBath,
                       Stream stream, DeviceMemory& memory) {
    withLongEnoughRows(firstCapacity(problem), [&](int capacity) {
        CudaQueue queue(stream, memory);
        return runSegmentAdjoint<Real>(queue, problem, kept, records, gradFramesX, gradFramesV, gradX0, gradV0, gradCoefficients,
                                       gradBath, capacity);
    });
}

#define DIFFPAIR_INSTANTIATE(Real)                                                                                               \
    template void runSegment<Real>(const SegmentProblem&, const Real*, const Real*, Real*, Real*, Real*, double*, Stream,        \
                                   DeviceMemory&);                                                                               \
    template void runSegmentAdjoint<Real>(const SegmentProblem&, const Real*, const double*, const Real*, const Real*, Real*,    \
                                          Real*, double*, double*, Stream, DeviceMemory&);
DIFFPAIR_INSTANTIATE(float)
DIFFPAIR_INSTANTIATE(double)
#undef DIFFPAIR_INSTANTIATE

} // namespace diffpair::cuda
