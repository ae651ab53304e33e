#pragma once
#include "diffpair/Table.h"
#include <string>
#include <vector>

namespace diffpair::lammps {

/** What a potential file holds that a simulation needs, in nm and kJ/mol. */
struct Potential {
    std::vector<std::string> types;
    TableGrid grid;
    std::vector<double> coefficients; // [numTypePairs(types)][grid.numCoefficients()]
    bool hasBonded = false;           // whether the file has bonded terms, which a pair style has no part in

    int numTypes() const {
        return static_cast<int>(types.size());
    }
    /** The number of a type, -1 if there is none of this name. */
    int find(const std::string& type) const;
    /** The names of all types, for messages. */
    std::string listOfTypes() const;
};

/**
 * Reads the text of a potential file, docs/reference/file-format.md. What is more than a simulation needs is passed over.
 *
 * @param name  of the file, for messages
 * @throws std::runtime_error with one sentence if it is not a potential file of a known version, or damaged
 */
Potential parsePotential(const std::string& text, const std::string& name);

} // namespace diffpair::lammps
