#pragma once
#include "diffpair/openmm/PairTabulator.h"
#include "diffpair/openmm/TorchPairForce.h"
#include "PairTableForceImpl.h"

namespace DiffPair {

/** Runs an internal PairTableForce whose table follows the Context's parameters. */
class TorchPairForceImpl : public PairForceImpl {
public:
    explicit TorchPairForceImpl(const TorchPairForce& owner) : PairForceImpl(owner), owner(owner) {
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
    const PairTabulator& getTabulator();
    /** The embedded table if it was made at these values, otherwise a new one. */
    std::vector<double> makeTable(const std::vector<double>& parameterValues);
    std::vector<double> currentValues(OpenMM::ContextImpl& context) const;
    const TorchPairForce& owner;
    std::vector<std::string> parameterNames;
    std::unique_ptr<PairTableForce> table;
    std::vector<double> tabulatedAt;
    std::unique_ptr<PairTabulator> tabulator;
    std::string tabulatedModule;
};

} // namespace DiffPair
