#pragma once
#include "diffpair/Segment.h"
#include <algorithm>

namespace diffpair {

/** Where things of replica r lie in the arrays of the whole segment. */
struct SegmentLayout {
    const SegmentProblem& problem;
    size_t size = 3 * static_cast<size_t>(problem.topology->numAtoms);
    size_t recordSize = problem.integrator.recordSize();

    size_t state(int r) const {
        return r * size;
    }
    /** Of the frame after step t. */
    size_t frame(int r, int t) const {
        return (static_cast<size_t>(r) * problem.numFrames() + (t + 1) / problem.frameEvery - 1) * size;
    }
    size_t frameSums(int r, int t) const {
        return (static_cast<size_t>(r) * problem.numFrames() + (t + 1) / problem.frameEvery - 1) * problem.sumsOfFrame();
    }
    bool isFrame(int t) const {
        return (t + 1) % problem.frameEvery == 0;
    }
    size_t checkpoint(int r, int c) const {
        return (static_cast<size_t>(r) * problem.vectorsKept() + 3 * c) * size;
    }
    /** Of step t, which is kept. */
    size_t step(int r, int t) const {
        return checkpoint(r, problem.numCheckpoints()) +
               static_cast<size_t>(t - problem.keepFrom) * problem.vectorsOfStep() * size;
    }
    /** Forces of the hook at the start of step t. */
    size_t external(int r, int t) const {
        return (static_cast<size_t>(r) * problem.vectorsKept() + problem.vectorsOfPath() + t) * size;
    }
    size_t checkpointRecord(int r, int c) const {
        return (static_cast<size_t>(r) * problem.numRecords() + c) * recordSize;
    }
    size_t stepRecord(int r, int t) const {
        return checkpointRecord(r, problem.numCheckpoints() + t - problem.keepFrom);
    }
};

/** Beyond maxCutoff() a distance cannot be judged; a skin that reaches there would only add pairs. */
inline double limitedSkin(const SegmentProblem& problem, const Box& box) {
    return box.periodic ? std::min(problem.skin, std::max(0.0, box.maxCutoff() - problem.reach())) : problem.skin;
}

} // namespace diffpair
