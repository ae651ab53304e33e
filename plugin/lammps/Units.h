#pragma once
#include <string>

namespace diffpair::lammps {

/** A nm and a kJ/mol in the units of a LAMMPS input. */
struct Units {
    double length = 0, energy = 0;
};

/** The units of a unit style of LAMMPS; both 0 where the style has no length and energy that are known to be so large. */
inline Units unitsOf(const std::string& style) {
    constexpr double kcal = 4.184;                                   // kJ
    constexpr double electronvolt = 1.602176634e-19 * 6.02214076e20; // kJ/mol; both constants are exact since 2019
    constexpr double attogram = 1e-21 * 6.02214076e20;               // attogram nm^2 / ns^2, in kJ/mol
    if (style == "real")
        return {10, 1 / kcal};
    if (style == "metal")
        return {10, 1 / electronvolt};
    if (style == "nano")
        return {1, 1 / attogram};
    return {};
}

} // namespace diffpair::lammps
