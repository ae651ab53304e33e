#include "CommonPairKernels.h"
#include "PairInteraction.h"
#include <openmm/common/ContextSelector.h>
#include <openmm/internal/ContextImpl.h>

using OpenMM::ComputeContext;
using OpenMM::ComputeParameterInfo;
using OpenMM::ContextImpl;
using OpenMM::ContextSelector;
using std::string;
using std::vector;

namespace DiffPairPlugin {

namespace {

/** From this number of particles on, a neighbour list is faster than all pairs of blocks of particles. */
constexpr int neighborListFrom = 2000;
/**
 * CUDA and HIP may keep pairs that would leave a tile nearly empty in a list of single pairs, if every interaction of the Context
 * can work with it. The snippet can: it takes nothing from the tile and looks for particles that only fill up a block itself.
 */
constexpr bool supportsPairList = true;
/** Pairs below r_min are looked for in every so many force evaluations, the first included: each time the host has to wait. */
constexpr long warningInterval = 50;

} // namespace

/** What one device holds. OpenMM's kernels keep the addresses of the arrays, so they are updated in place. */
struct CommonCalcPairTableForceKernel::Device {
    explicit Device(ComputeContext& context) : context(context) {
    }
    ComputeContext& context;
    OpenMM::ComputeArray table;                                     // [numTypes * numTypes * numPieces] of 4 numbers
    vector<std::unique_ptr<OpenMM::ComputeArray>> derivativeTables; // alike, for each parameter
    OpenMM::ComputeArray types;                                     // [paddedNumAtoms]; with one type only it does not exist
    OpenMM::ComputeArray numClose; // [1], of the last evaluation: twice the number of pairs below r_min
    ForceInfo* info = nullptr;     // owned by the ComputeContext
};

/** Tells OpenMM which particles are alike, so that it may reorder them. */
class CommonCalcPairTableForceKernel::ForceInfo : public OpenMM::ComputeForceInfo {
public:
    ForceInfo(const vector<int>& types, vector<std::pair<int, int>> exclusions)
        : types(types), exclusions(std::move(exclusions)) {
    }
    bool areParticlesIdentical(int particle1, int particle2) override {
        return types[particle1] == types[particle2];
    }
    int getNumParticleGroups() override {
        return static_cast<int>(exclusions.size());
    }
    void getParticlesInGroup(int index, vector<int>& particles) override {
        particles = {exclusions[index].first, exclusions[index].second};
    }
    bool areGroupsIdentical(int, int) override {
        return true;
    }

private:
    const vector<int>& types;
    vector<std::pair<int, int>> exclusions;
};

/** Looks after a force evaluation whether pairs were below r_min, and warns. */
class CommonCalcPairTableForceKernel::CloseParticles : public ComputeContext::ForcePostComputation {
public:
    CloseParticles(CommonCalcPairTableForceKernel& kernel, Device& device, int forceGroup)
        : kernel(kernel), device(device), forceGroup(forceGroup) {
    }
    double computeForceAndEnergy(bool, bool includeEnergy, int groups) override {
        if ((groups & (1 << forceGroup)) == 0)
            return 0.0;
        std::lock_guard<std::mutex> guard(kernel.warningLock);
        if (kernel.warning.isPending() && (numCalls++ % warningInterval == 0 || includeEnergy)) {
            vector<unsigned long long> count;
            device.numClose.download(count);
            kernel.warning.report(static_cast<long>(count[0] / 2), kernel.grid.rMin);
        }
        return 0.0;
    }

private:
    CommonCalcPairTableForceKernel& kernel;
    Device& device;
    int forceGroup;
    long numCalls = 0;
};

CommonCalcPairTableForceKernel::CommonCalcPairTableForceKernel(const string& name, const OpenMM::Platform& platform,
                                                               ComputeContext& context)
    : CalcPairTableForceKernel(name, platform) {
    for (ComputeContext* each : context.getAllContexts())
        devices.push_back(std::make_unique<Device>(*each));
}

CommonCalcPairTableForceKernel::~CommonCalcPairTableForceKernel() {
    for (auto& device : devices) {
        ContextSelector selector(device->context);
        device.reset();
    }
}

void CommonCalcPairTableForceKernel::initialize(const OpenMM::System&, const PairTableForce& force,
                                                const vector<ParameterDerivative>& derivatives) {
    // OpenMM collects what the first device has added up and forgets the others, for its own forces too.
    if (devices.size() > 1 && !derivatives.empty())
        throw OpenMM::OpenMMException("TorchPairForce: on several devices OpenMM cannot add up the derivative with respect to '" +
                                      derivatives[0].parameter + "'; name one device in the property DeviceIndex");
    grid = gridOf(force);
    warning.of(force);
    numTypes = force.getNumTypes();
    types = typesOf(force);
    for (auto& device : devices)
        initializeDevice(*device, force, derivatives);
}

void CommonCalcPairTableForceKernel::addTable(Device& device, OpenMM::ComputeArray& table, const string& name) const {
    ComputeContext& context = device.context;
    const int elementSize = 4 * static_cast<int>(context.getUseDoublePrecision() ? sizeof(double) : sizeof(float));
    table.initialize(context, static_cast<size_t>(numTypes) * numTypes * grid.numPieces(), elementSize, name);
    context.getNonbondedUtilities().addArgument(ComputeParameterInfo(table, name, "real", 4));
}

void CommonCalcPairTableForceKernel::initializeDevice(Device& device, const PairTableForce& force,
                                                      const vector<ParameterDerivative>& derivatives) {
    ComputeContext& context = device.context;
    ContextSelector selector(context);
    // Distinct among the forces of a Context, and the same in every Context, so that compiled kernels are found again.
    const string prefix = "diffpair" + context.intToString(static_cast<int>(context.getForceInfos().size())) + "_";
    OpenMM::NonbondedUtilities& nonbonded = context.getNonbondedUtilities();
    addTable(device, device.table, prefix + "table");
    string derivativeTerms;
    for (const ParameterDerivative& derivative : derivatives) {
        const string name = prefix + "derivative" + context.intToString(static_cast<int>(device.derivativeTables.size()));
        device.derivativeTables.push_back(std::make_unique<OpenMM::ComputeArray>());
        addTable(device, *device.derivativeTables.back(), name);
        derivativeTerms +=
            context.replaceStrings(derivativeInteraction, {{"SUM", nonbonded.addEnergyParameterDerivative(derivative.parameter)},
                                                           {"DERIVATIVE_TABLE", name}});
    }
    uploadTables(device, force, derivatives);
    device.numClose.initialize<unsigned long long>(context, 1, prefix + "close");
    context.addAutoclearBuffer(device.numClose);
    nonbonded.addArgument(ComputeParameterInfo(device.numClose, prefix + "close", "mm_ulong", 1, false));
    string row = "0";
    if (numTypes > 1) {
        device.types.initialize<int>(context, context.getPaddedNumAtoms(), prefix + "type");
        uploadTypes(device);
        nonbonded.addParameter(ComputeParameterInfo(device.types, prefix + "type", "int", 1));
        row = "(" + prefix + "type1*" + context.intToString(numTypes) + "+" + prefix + "type2)*" +
              context.intToString(grid.numPieces());
    }

    vector<vector<int>> excluded(types.size()); // for each particle, itself included
    for (size_t i = 0; i < excluded.size(); i++)
        excluded[i] = {static_cast<int>(i)};
    vector<std::pair<int, int>> exclusions(force.getNumExclusions());
    for (int i = 0; i < force.getNumExclusions(); i++) {
        auto& [a, b] = exclusions[i];
        force.getExclusionParticles(i, a, b);
        excluded[a].push_back(b);
        excluded[b].push_back(a);
    }
    // OpenMM has one list of exclusions for all forces that have any. A force without exclusions does not need to look at it,
    // and can stand beside forces that exclude what they like.
    const bool hasExclusions = !exclusions.empty();
    const std::map<string, string> replacements = {
        {"SKIP", hasExclusions ? skipExcluded : skipSelf},
        {"ROW", row},
        {"TABLE", prefix + "table"},
        {"NUM_CLOSE", prefix + "close"},
        {"R_MIN", context.doubleToString(grid.rMin)},
        {"INVERSE_SPACING", context.doubleToString(1 / grid.spacing())},
        {"TABLE_CUTOFF_SQUARED", context.doubleToString(grid.cutoff * grid.cutoff)},
        {"DERIVATIVES", derivativeTerms},
    };
    nonbonded.addInteraction(force.getNonbondedMethod() != PairForce::NoCutoff, force.usesPeriodicBoundaryConditions(),
                             hasExclusions, force.getCutoffDistance(), excluded,
                             context.replaceStrings(pairInteraction, replacements), force.getForceGroup(),
                             force.getNumParticles() > neighborListFrom, supportsPairList);
    device.info = new ForceInfo(types, std::move(exclusions));
    context.addForce(device.info);
    context.addPostComputation(new CloseParticles(*this, device, force.getForceGroup()));
}

double CommonCalcPairTableForceKernel::execute(ContextImpl&, bool, bool) {
    return 0.0; // OpenMM evaluates all nonbonded interactions together, after the forces' kernels
}

void CommonCalcPairTableForceKernel::copyParametersToContext(ContextImpl&, const PairTableForce& force,
                                                             const vector<ParameterDerivative>& derivatives) {
    vector<int> newTypes = typesOf(force);
    const bool typesChanged = newTypes != types;
    types.swap(newTypes);
    for (auto& device : devices) {
        ContextSelector selector(device->context);
        uploadTables(*device, force, derivatives);
        if (typesChanged) {
            uploadTypes(*device);
            device->context.invalidateMolecules(device->info, true, false);
        }
    }
}

template <class Real>
void CommonCalcPairTableForceKernel::uploadTable(OpenMM::ComputeArray& table, const vector<double>& coefficients) const {
    const size_t rowSize = 4 * static_cast<size_t>(grid.numPieces());
    vector<Real> pieces(static_cast<size_t>(numTypes) * numTypes * rowSize);
    Real* row = pieces.data();
    for (int a = 0; a < numTypes; a++)
        for (int b = 0; b < numTypes; b++, row += rowSize) {
            const size_t pair = diffpair::typePairIndex(a, b, numTypes);
            diffpair::coefficientsToPieces(grid, coefficients.data() + pair * grid.numCoefficients(), row);
        }
    table.upload(pieces.data());
}

void CommonCalcPairTableForceKernel::uploadTables(Device& device, const PairTableForce& force,
                                                  const vector<ParameterDerivative>& derivatives) const {
    const auto upload = [&](OpenMM::ComputeArray& table, const vector<double>& coefficients) {
        if (device.context.getUseDoublePrecision())
            uploadTable<double>(table, coefficients);
        else
            uploadTable<float>(table, coefficients);
    };
    upload(device.table, coefficientsOf(force));
    for (size_t i = 0; i < derivatives.size(); i++)
        upload(*device.derivativeTables[i], derivatives[i].coefficients);
}

void CommonCalcPairTableForceKernel::uploadTypes(Device& device) const {
    if (!device.types.isInitialized())
        return;
    vector<int> padded = types;
    padded.resize(device.context.getPaddedNumAtoms());
    device.types.upload(padded);
}

} // namespace DiffPairPlugin
