#pragma once
#include "diffpair/openmm/Export.h"
#include <memory>
#include <string>
#include <vector>

namespace DiffPairPlugin {

/**
 * A module that can be evaluated. The one implementation lives in a library of its own, the only one that needs libtorch; it
 * registers itself when create() opens it.
 */
class DIFFPAIR_OPENMM_EXPORT PairTabulator {
public:
    /** What a module gives at n distances, each [numPairs * n]. */
    struct Values {
        std::vector<double> energies;                 // U in kJ/mol
        std::vector<double> slopes;                   // dU/dr in kJ/mol/nm
        std::vector<std::vector<double>> derivatives; // dU/d(parameter), of those asked for
    };
    virtual ~PairTabulator();
    /**
     * @param r               distances in nm [n]
     * @param parameters      values of the global parameters
     * @param differentiated  indices of the parameters to differentiate with respect to
     */
    virtual Values evaluate(const std::vector<double>& r, const std::vector<double>& parameters,
                            const std::vector<int>& differentiated) const = 0;

    /** Makes a tabulator from a module's bytes and the number of pairs of types. */
    using Factory = std::unique_ptr<PairTabulator> (*)(const std::string& module, int numPairs);
    static void registerFactory(Factory factory);
    /** Opens the library with the implementation when first needed; an OpenMMException says what to install if it cannot. */
    static std::unique_ptr<PairTabulator> create(const std::string& module, int numPairs);
};

} // namespace DiffPairPlugin
