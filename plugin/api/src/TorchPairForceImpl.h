#pragma once
#include "diffpair/openmm/PairTabulator.h"
#include "diffpair/openmm/TorchPairForce.h"
#include "PairTableForceImpl.h"

namespace DiffPairPlugin {

/** Runs an internal PairTableForce whose table follows the Context's parameters. */
class TorchPairForceImpl : public PairForceImpl {
public:
    explicit TorchPairForceImpl(const TorchPairForce& owner) : PairForceImpl(owner), owner(owner), current{owner, nullptr} {
    }
    void initialize(OpenMM::ContextImpl& context) override;
    const OpenMM::Force& getOwner() const override {
        return owner;
    }
    double calcForcesAndEnergy(OpenMM::ContextImpl& context, bool includeForces, bool includeEnergy, int groups) override;
    std::map<std::string, double> getDefaultParameters() override;
    void updateParametersInContext(OpenMM::ContextImpl& context);
    double getTabulationError(OpenMM::ContextImpl& context, double maxEnergy);

private:
    /** The force as the Context knows it, and what evaluates its module once that is needed. */
    struct Source {
        TorchPairForce force;
        std::unique_ptr<PairTabulator> tabulator;
        const PairTabulator& getTabulator();
        /** The embedded tables if they were made at these values, otherwise new ones. */
        TorchPairForce::Tables makeTables(const std::vector<double>& parameterValues);
        std::vector<ParameterDerivative> derivativesOf(const TorchPairForce::Tables& tables) const;
    };
    std::vector<double> currentValues(OpenMM::ContextImpl& context) const;
    const TorchPairForce& owner;
    Source current;
    std::unique_ptr<PairTableForce> table;
    std::vector<double> tabulatedAt;
};

} // namespace DiffPairPlugin
