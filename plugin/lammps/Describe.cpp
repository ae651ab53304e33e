#include "Describe.h"
#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "force.h"
#include "neighbor.h"
#include "pair.h"
#include "update.h"
#include <cstdint>
#include <cstdio>
#include <mpi.h>
#include <numeric>
#include <string>
#include <vector>

namespace LAMMPS_NS {

void DiffpairDescribe::command(int narg, char** arg) {
    if (narg != 1)
        error->all(FLERR, "diffpair_describe takes the name of a file");
    if (domain->box_exist == 0 || atom->tag_enable == 0)
        error->all(FLERR, "diffpair_describe needs a box, and atoms with IDs");
    settings();
    specialPairs(arg[0]);
}

void DiffpairDescribe::settings() {
    const auto say = [&](const std::string& name, const std::string& value) {
        utils::logmesg(lmp, "diffpair-is {} {}\n", name, value);
    };
    const int* periodic = domain->periodicity;
    say("units", update->unit_style);
    say("dimension", std::to_string(domain->dimension));
    say("periodic", std::to_string(static_cast<int>(periodic[0] && periodic[1] && periodic[2])));
    say("box_change", std::to_string(domain->box_change));
    say("types", std::to_string(atom->ntypes));
    say("molecules", std::to_string(atom->molecule_flag));
    std::string factors;
    for (int kind = 1; kind <= 3; kind++)
        factors += fmt::format(" {:.17g}", force->special_lj[kind]);
    say("special_lj", factors.substr(1));
    say("pair_style", force->pair == nullptr ? "none" : force->pair_style);
    say("kspace", std::to_string(static_cast<int>(force->kspace != nullptr)));
    // Molecules of all atoms are the one kind of exclusion that is told by pairs; 1 is the bit of the group all.
    bool others = neighbor->nex_type || neighbor->nex_group || neighbor->includegroup;
    for (int k = 0; k < neighbor->nex_mol; k++)
        others = others || neighbor->ex_mol_intra[k] == 0 || neighbor->ex_mol_bit[k] != 1;
    say("excludes", others ? "others" : neighbor->nex_mol ? "molecules" : "none");
    std::string mixed; // types whose coefficients follow from those of both
    for (int i = 1; force->pair != nullptr && force->pair->setflag != nullptr && i <= atom->ntypes; i++)
        for (int j = i + 1; j <= atom->ntypes; j++)
            if (force->pair->setflag[i][j] == 0)
                mixed += fmt::format(" {}-{}", i, j);
    say("mixed", mixed.empty() ? "none" : mixed.substr(1));
}

void DiffpairDescribe::specialPairs(const char* name) {
    std::vector<int64_t> mine;
    for (int i = 0; atom->molecular != Atom::ATOMIC && i < atom->nlocal; i++)
        for (int k = 0, kind = 1; k < atom->nspecial[i][2]; k++) {
            while (k >= atom->nspecial[i][kind - 1])
                kind++;
            if (atom->tag[i] < atom->special[i][k])
                mine.insert(mine.end(), {atom->tag[i], atom->special[i][k], kind});
        }
    const int size = static_cast<int>(mine.size());
    std::vector<int> sizes(comm->nprocs), places(comm->nprocs);
    MPI_Gather(&size, 1, MPI_INT, sizes.data(), 1, MPI_INT, 0, world);
    std::exclusive_scan(sizes.begin(), sizes.end(), places.begin(), 0);
    std::vector<int64_t> all(comm->me == 0 ? places.back() + sizes.back() : 0);
    MPI_Gatherv(mine.data(), size, MPI_INT64_T, all.data(), sizes.data(), places.data(), MPI_INT64_T, 0, world);
    if (comm->me != 0)
        return;
    FILE* file = std::fopen(name, "wb");
    const bool written = file != nullptr && std::fwrite(all.data(), sizeof(int64_t), all.size(), file) == all.size();
    if (file == nullptr || std::fclose(file) != 0 || !written)
        error->one(FLERR, "Cannot write the file {}", name);
}

} // namespace LAMMPS_NS
