#pragma once
#include "Arguments.h"
#include <optional>
#include <torch/custom_class.h>

namespace diffpair {

/**
 * What a segment is, apart from its start and from the numbers that have a gradient: torch.classes.diffpair.SegmentProblem.
 * Set up once, then only read, by any number of calls at a time. Everything of it lies on the host.
 */
class TorchSegment : public torch::CustomClassHolder {
public:
    /**
     * @param types        [N] and exclusions [E, 2], int32
     * @param inverseMass  [N] in 1/amu, float64
     * @param boxes        [R, 3, 3] in nm, float64; a box of zeros means no periodicity
     */
    TorchSegment(const at::Tensor& types, const at::Tensor& exclusions, int64_t numTypes, const at::Tensor& inverseMass,
                 const at::Tensor& boxes);
    TorchSegment(const TorchSegment&) = delete;

    /** The table's grid, in nm. */
    void setTable(double rMin, double cutoff, int64_t knots);
    /** @param timestep  ps */
    void setSteps(double timestep, int64_t steps, int64_t frameEvery);
    void setCheckpoints(int64_t every, int64_t keepFrom);
    /**
     * @param name      verlet, langevin-middle or nose-hoover
     * @param settings  none; (seed); (degrees of freedom, chain length, multiple time steps, Yoshida-Suzuki weights)
     */
    void setIntegrator(const std::string& name, const std::vector<int64_t>& settings);
    /** Sums over pairs at every frame, on this grid. */
    void setSums(double rMin, double cutoff, int64_t knots);

    /**
     * Further forces between the same particles, whose parameters every call gives.
     *
     * @param kind   harmonic-bond, harmonic-angle or periodic-torsion
     * @param atoms  [n, 2, 3 or 4], int32
     */
    void addBonded(const std::string& kind, const at::Tensor& atoms, bool periodic);
    /**
     * Further forces from a C function: void (*)(void* user, int replica, const double* x, double* forces, int* done). It
     * puts 1 into `done`, which is 0 before, when it has not failed; see ForceHook.
     *
     * @param function, user  addresses
     */
    void setHook(int64_t function, int64_t user, double distance, bool central);

    /** What setHook() was told; 0 without a hook. */
    int64_t hookUser() const {
        return user;
    }
    bool hasFurtherForces() const {
        return !problem.bonded.empty() || problem.hasHook();
    }
    bool hasSums() const {
        return problem.hasFrameSums();
    }
    /** Of all that a segment returns: [R, F, N, 3], sums [R, F, P, K + 2], what is kept [R, .., N, 3], its records [R, .., ..].
     */
    std::vector<std::vector<int64_t>> shapes() const;

    /**
     * The problem with these numbers; it points to them and to this object. Throws with one sentence what does not fit
     * together.
     *
     * @param coefficients  [P, knots + 2], float64, on the CPU
     * @param bath          [R, 2], kT and rate of every replica, float64, on the CPU; [R, 0] for Verlet
     * @param parameters    of the bonded forces in the order they were added, [n, 2 or 3] each, float64, on the CPU
     */
    SegmentProblem with(const at::Tensor& coefficients, const at::Tensor& bath, at::TensorList parameters) const;

private:
    PairTopology topology;
    SegmentProblem problem; // without what `with` adds
    int64_t user = 0;
};

using TorchSegmentPtr = c10::intrusive_ptr<TorchSegment>;

/** Start states [R, N, 3], contiguous. */
std::pair<at::Tensor, at::Tensor> checkedStart(const at::Tensor& x0, const at::Tensor& v0, const SegmentProblem& problem,
                                               at::DeviceType device = at::kCPU);

/** Throws if this is not what a segment kept. */
void checkKept(const SegmentProblem& problem, const at::Tensor& kept);

/** Undefined for frames that the loss does not look at: no zeros are made for them. */
at::Tensor framesGradient(const std::optional<at::Tensor>& gradient, const char* name, const SegmentProblem& problem,
                          const at::Tensor& kept);

/** Sums of every frame, [R, F, P, K + 2]; [R, F, P, 0] if there are none. */
std::vector<int64_t> sumsShape(const SegmentProblem& problem);

} // namespace diffpair
