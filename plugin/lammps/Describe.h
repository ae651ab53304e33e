#pragma once
#include "command.h"

namespace LAMMPS_NS {

/**
 * diffpair_describe FILE: prints what an input has made of LAMMPS as far as a fit has to know it, lines of a name and its
 * values, and writes the pairs of atoms that are one, two or three bonds apart, as LAMMPS counts them, to a file: three 64-bit
 * integers for each, the smaller number of an atom, the larger one and the number of bonds. After `run 0`, which lets LAMMPS find
 * out.
 */
class DiffpairDescribe : public Command {
public:
    using Command::Command;
    void command(int narg, char** arg) override;

private:
    void settings();
    void specialPairs(const char* name);
};

} // namespace LAMMPS_NS
