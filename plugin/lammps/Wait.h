#pragma once
#include "command.h"

namespace LAMMPS_NS {

/** diffpair_wait: all processes sleep until there is something to read in standard input, or it has ended. Without it every
    process but the first one asks for the next command without a pause, and takes a core for that. */
class DiffpairWait : public Command {
public:
    using Command::Command;
    void command(int narg, char** arg) override;
};

} // namespace LAMMPS_NS
