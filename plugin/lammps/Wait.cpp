#include "Wait.h"
#include "comm.h"
#include "error.h"
#include <chrono>
#include <cstdio>
#include <mpi.h>
#include <thread>

namespace LAMMPS_NS {

void DiffpairWait::command(int narg, char**) {
    if (narg != 0)
        error->all(FLERR, "diffpair_wait takes no argument");
    if (comm->me == 0) { // through the buffer that LAMMPS reads its commands from
        const int next = std::getc(stdin);
        if (next != EOF)
            std::ungetc(next, stdin);
    }
#ifndef MPI_STUBS // LAMMPS's stand-in for MPI has one process
    MPI_Request request;
    MPI_Ibarrier(world, &request);
    int done = 0;
    for (MPI_Test(&request, &done, MPI_STATUS_IGNORE); !done; MPI_Test(&request, &done, MPI_STATUS_IGNORE))
        std::this_thread::sleep_for(std::chrono::microseconds(200)); // much shorter than any command of a fit
#endif
}

} // namespace LAMMPS_NS
