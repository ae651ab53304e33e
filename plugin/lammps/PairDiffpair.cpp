#include "PairDiffpair.h"
#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "memory.h"
#include "neigh_list.h"
#include "neighbor.h"
#include "Units.h"
#include "update.h"
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>

using namespace LAMMPS_NS;
using namespace diffpair;

PairDiffpair::PairDiffpair(LAMMPS* lmp) : Pair(lmp) {
    one_coeff = 1;
    restartinfo = 1;
    writedata = 0;
}

PairDiffpair::~PairDiffpair() {
    if (copymode || !allocated)
        return;
    memory->destroy(setflag);
    memory->destroy(cutsq);
    delete[] map;
    map = nullptr;
}

void PairDiffpair::allocate() {
    if (allocated)
        return;
    allocated = 1;
    const int n = atom->ntypes + 1;
    memory->create(setflag, n, n, "pair:setflag");
    memory->create(cutsq, n, n, "pair:cutsq");
    map = new int[n];
    for (int i = 0; i < n; i++) {
        map[i] = -1;
        for (int j = 0; j < n; j++)
            setflag[i][j] = 0;
    }
}

void PairDiffpair::settings(int argc, char** argv) {
    sigma = epsilon = 0;
    for (int k = 0; k < argc; k += 2) {
        double* target = !std::strcmp(argv[k], "sigma") ? &sigma : !std::strcmp(argv[k], "epsilon") ? &epsilon : nullptr;
        if (target == nullptr)
            error->all(FLERR, "Pair style diffpair knows the keywords sigma and epsilon, not {}", argv[k]);
        if (k + 1 == argc)
            error->all(FLERR, "Pair style diffpair: the keyword {} needs a number", argv[k]);
        *target = utils::numeric(FLERR, argv[k + 1], false, lmp);
        if (!(*target > 0 && std::isfinite(*target)))
            error->all(FLERR, "Pair style diffpair: {} must be above 0, not {}", argv[k], argv[k + 1]);
    }
    const bool reduced = !std::strcmp(update->unit_style, "lj");
    if (reduced && (sigma == 0 || epsilon == 0))
        error->all(FLERR, "Pair style diffpair with units lj needs their size: pair_style diffpair sigma NM epsilon KJ/MOL");
    if (!reduced && (sigma != 0 || epsilon != 0))
        error->all(FLERR, "Pair style diffpair takes sigma and epsilon with units lj only, not with units {}",
                   update->unit_style);
    if (!reduced && lammps::unitsOf(update->unit_style).length == 0)
        error->all(FLERR, "Pair style diffpair works with units real, metal, nano and lj, not {}", update->unit_style);
}

/** The potential in the units of this input, ready for the loops. */
void PairDiffpair::takePotential() {
    const bool reduced = !std::strcmp(update->unit_style, "lj");
    const lammps::Units units = reduced ? lammps::Units{1 / sigma, 1 / epsilon} : lammps::unitsOf(update->unit_style);
    inUnits = potential;
    inUnits.grid.rMin *= units.length;
    inUnits.grid.cutoff *= units.length;
    for (double& c : inUnits.coefficients)
        c *= units.energy;
    try {
        table.set(inUnits.grid, inUnits.numTypes(), inUnits.coefficients.data());
    } catch (const std::invalid_argument& refusal) { // of scales that are not of this world
        error->all(FLERR, "Pair style diffpair: {}", refusal.what());
    }
}

/** The whole text of a file, which the first process reads for all. */
std::string PairDiffpair::readFile(const char* name) const {
    constexpr long most = 1 << 30; // bytes: more than any table that the loops take, and less than MPI's int can count
    long size = -1;
    std::string text;
    if (comm->me == 0) {
        std::error_code unused; // not a folder, whose size is any number, nor a pipe, which may never end
        FILE* file = std::filesystem::is_regular_file(name, unused) ? std::fopen(name, "rb") : nullptr;
        if (file != nullptr && std::fseek(file, 0, SEEK_END) == 0)
            size = std::ftell(file);
        if (size >= 0 && size <= most) {
            text.resize(size);
            std::rewind(file);
            if (std::fread(text.data(), 1, text.size(), file) != text.size())
                size = -1;
        }
        if (file != nullptr)
            std::fclose(file);
    }
    MPI_Bcast(&size, 1, MPI_LONG, 0, world);
    if (size < 0)
        error->all(FLERR, "Cannot read the potential file {}", name);
    if (size > most)
        error->all(FLERR, "The potential file {} is larger than 1 GiB", name);
    text.resize(size);
    MPI_Bcast(text.data(), static_cast<int>(size), MPI_CHAR, 0, world);
    return text;
}

void PairDiffpair::coeff(int argc, char** argv) {
    allocate();
    const int numTypes = atom->ntypes;
    if (argc < 3 || std::strcmp(argv[0], "*") != 0 || std::strcmp(argv[1], "*") != 0)
        error->all(FLERR, "Pair style diffpair needs one command: pair_coeff * * FILE and a type of the file for each atom type");
    if (argc != 3 + numTypes)
        error->all(FLERR, "pair_coeff of diffpair names {} types of the file {} for {} atom types", argc - 3, argv[2], numTypes);
    try {
        potential = lammps::parsePotential(readFile(argv[2]), argv[2]);
    } catch (const std::runtime_error& refusal) {
        error->all(FLERR, "{}", refusal.what());
    }
    if (potential.hasBonded && comm->me == 0)
        error->warning(
            FLERR, "{} has bonded terms, too, which pair style diffpair leaves out: diffpair export --format lammps writes them",
            argv[2]);
    for (int i = 1; i <= numTypes; i++) {
        map[i] = potential.find(argv[2 + i]);
        if (map[i] < 0 && std::strcmp(argv[2 + i], "NULL") != 0)
            error->all(FLERR, "{} has no type {}; its types are {}", argv[2], argv[2 + i], potential.listOfTypes());
    }
    for (int i = 1; i <= numTypes; i++)
        for (int j = i; j <= numTypes; j++)
            setflag[i][j] = map[i] >= 0 && map[j] >= 0;
    takePotential();
}

void PairDiffpair::init_style() {
    builds = -1;
    warned = false;
    // All that LAMMPS's own lists know and a search of the core's does not.
    const bool excludes = neighbor->nex_type || neighbor->nex_group || neighbor->nex_mol || neighbor->includegroup;
    ownSearch = force->pair == this && atom->molecular == 0 && atom->tag_enable && !excludes;
    if (!ownSearch)
        neighbor->add_request(this);
}

double PairDiffpair::init_one(int i, int j) {
    if (setflag[i][j] == 0 && (map[i] < 0 || map[j] < 0))
        error->all(FLERR, "Pair style diffpair has no potential for the atom types {} and {}", i, j);
    etail_ij = ptail_ij = 0; // U is 0 beyond the cutoff
    return inUnits.grid.cutoff;
}

/** A pair's energy and dU/dr. */
double PairDiffpair::evaluate(int itype, int jtype, double r, double& slope) const {
    const size_t row = typePairIndex(map[itype], map[jtype], inUnits.numTypes());
    double energy;
    evaluateTable(inUnits.grid, inUnits.coefficients.data() + row * inUnits.grid.numCoefficients(), r, energy, slope);
    return energy;
}

double PairDiffpair::single(int, int, int itype, int jtype, double rsq, double, double factorLj, double& fforce) {
    double slope;
    const double r = std::sqrt(rsq), energy = evaluate(itype, jtype, r, slope);
    fforce = r > 0 ? -factorLj * slope / r : 0;
    return factorLj * energy;
}

/** The pairs, where LAMMPS has built its lists anew, and the positions. */
void PairDiffpair::updateRows() {
    const double* x = &atom->x[0][0];
    if (neighbor->ago == 0 || neighbor->ncalls != builds) {
        const lammps::Atoms atoms = {atom->nlocal, atom->nlocal + atom->nghost, x, atom->tag, force->newton_pair != 0};
        if (ownSearch && builds == -1)
            rows.setReach(inUnits.grid.cutoff, neighbor->skin);
        if (ownSearch && neighbor->exclude) // by a fix, after init_style()
            error->one(FLERR, "Pairs were excluded too late for pair style diffpair: use pair_style hybrid diffpair");
        if (ownSearch)
            rows.search(atoms);
        else
            rows.copy(*list, atoms, force->special_lj);
        builds = neighbor->ncalls;
    }
    rows.load(x, atom->type, map);
}

void PairDiffpair::compute(int eflag, int vflag) {
    ev_init(eflag, vflag);
    if (atom->nlocal == 0)
        return;
    try {
        updateRows();
        if (eflag_atom || vflag_atom || cvflag_atom || (evflag && num_tally_compute > 0)) {
            computePairByPair();
        } else {
            computeByLoops(rows.pairs(inUnits.numTypes()), 1);
            computeByLoops(rows.pairsWithGhosts(inUnits.numTypes()), 0.5); // the other process counts the other half
        }
    } catch (const std::invalid_argument& refusal) { // of DIFFPAIR_ISA
        error->one(FLERR, "Pair style diffpair: {}", refusal.what());
    } catch (const std::domain_error& refusal) {
        error->one(FLERR, "Pair style diffpair: {}", refusal.what());
    }
    for (const lammps::ScaledPair& pair : rows.scaledPairs())
        addPair(pair.i, pair.j, pair.factor);
    if (vflag_fdotr)
        virial_fdotr_compute();
}

/** @param weight  of these pairs in energy and virial */
void PairDiffpair::computeByLoops(const PairList<double>& pairs, double weight) {
    if (pairs.numPairs() == 0)
        return;
    const bool wantSums = eflag_global || vflag_global;
    PairSums sums;
    VirialTensor tensor;
    loops.forces(table, pairs, &atom->f[0][0], wantSums ? &sums : nullptr, executor, vflag_global ? &tensor : nullptr);
    eng_vdwl += weight * sums.energy;
    for (int k = 0; k < 6 && vflag_global; k++)
        virial[k] += weight * tensor.components[k];
    warnBelowRMin(sums.belowRMin);
}

/** Slowly: what asks for the shares of atoms or of groups sees every pair. */
void PairDiffpair::computePairByPair() {
    for (const PairList<double>& pairs : {rows.pairs(inUnits.numTypes()), rows.pairsWithGhosts(inUnits.numTypes())})
        for (int i = 0; i < pairs.numRows; i++)
            for (const int* partner = pairs.rowBegin(i); partner < pairs.rowEnd(i); partner++)
                addPair(i, slotAtOffset(*partner), 1);
}

void PairDiffpair::addPair(int i, int j, double factor) {
    double **x = atom->x, **f = atom->f, slope;
    const double dx = x[i][0] - x[j][0], dy = x[i][1] - x[j][1], dz = x[i][2] - x[j][2];
    const double r = std::sqrt(dx * dx + dy * dy + dz * dz);
    if (r >= inUnits.grid.cutoff)
        return;
    const double energy = factor * evaluate(atom->type[i], atom->type[j], r, slope);
    const double fpair = r > 0 ? -factor * slope / r : 0;
    f[i][0] += dx * fpair, f[i][1] += dy * fpair, f[i][2] += dz * fpair;
    if (force->newton_pair || j < atom->nlocal)
        f[j][0] -= dx * fpair, f[j][1] -= dy * fpair, f[j][2] -= dz * fpair;
    if (evflag)
        ev_tally(i, j, atom->nlocal, force->newton_pair, eflag_either ? energy : 0.0, 0.0, fpair, dx, dy, dz);
}

void PairDiffpair::warnBelowRMin(int64_t pairs) {
    if (pairs == 0 || warned)
        return;
    warned = true;
    error->warning(FLERR, "{} pairs are closer than r_min of the potential, where it goes on linearly", pairs);
}

void PairDiffpair::write_restart_settings(FILE* file) {
    std::fwrite(&sigma, sizeof(double), 1, file);
    std::fwrite(&epsilon, sizeof(double), 1, file);
}

void PairDiffpair::read_restart_settings(FILE* file) {
    double scales[2] = {};
    if (comm->me == 0)
        utils::sfread(FLERR, scales, sizeof(double), 2, file, nullptr, error);
    MPI_Bcast(scales, 2, MPI_DOUBLE, 0, world);
    sigma = scales[0], epsilon = scales[1];
}

namespace {

/** Numbers that a restart file begins with, and limits of what can follow. */
struct RestartHead {
    int version, numTypes, numKnots, lengthOfNames;
    double rMin, cutoff;
};
constexpr int restartVersion = 1;

} // namespace

void PairDiffpair::write_restart(FILE* file) {
    write_restart_settings(file);
    std::string names;
    for (const std::string& type : potential.types)
        names += type + '\0';
    const RestartHead head = {restartVersion,      potential.numTypes(), potential.grid.numKnots, static_cast<int>(names.size()),
                              potential.grid.rMin, potential.grid.cutoff};
    std::fwrite(&head, sizeof(head), 1, file);
    std::fwrite(names.data(), 1, names.size(), file);
    std::fwrite(map + 1, sizeof(int), atom->ntypes, file);
    std::fwrite(potential.coefficients.data(), sizeof(double), potential.coefficients.size(), file);
}

void PairDiffpair::read_restart(FILE* file) {
    read_restart_settings(file);
    allocate();
    const auto read = [&](void* to, size_t bytes) {
        if (comm->me == 0)
            utils::sfread(FLERR, to, 1, bytes, file, nullptr, error);
        MPI_Bcast(to, static_cast<int>(bytes), MPI_BYTE, 0, world);
    };
    RestartHead head = {};
    read(&head, sizeof(head));
    try {
        potential = {};
        potential.grid = {head.rMin, head.cutoff, head.numKnots};
        potential.grid.validate();
        potential.grid.validateTables(head.numTypes);
        if (head.version != restartVersion || head.lengthOfNames < 0 || head.lengthOfNames > 1 << 24)
            throw std::invalid_argument("it is of another version");
    } catch (const std::invalid_argument& refusal) {
        error->all(FLERR, "Cannot take pair style diffpair from this restart file: {}", refusal.what());
    }
    std::string names(head.lengthOfNames, ' ');
    read(names.data(), names.size());
    for (size_t begin = 0, end; (end = names.find('\0', begin)) != std::string::npos; begin = end + 1)
        potential.types.push_back(names.substr(begin, end - begin));
    read(map + 1, sizeof(int) * atom->ntypes);
    potential.coefficients.resize(static_cast<size_t>(numTypePairs(head.numTypes)) * potential.grid.numCoefficients());
    for (size_t at = 0; at < potential.coefficients.size(); at += potential.grid.numCoefficients()) // MPI counts in ints
        read(potential.coefficients.data() + at, sizeof(double) * potential.grid.numCoefficients());
    if (potential.numTypes() != head.numTypes)
        error->all(FLERR, "Cannot take pair style diffpair from this restart file: it names {} types, not {}",
                   potential.numTypes(), head.numTypes);
    for (int i = 1; i <= atom->ntypes; i++) {
        if (map[i] >= head.numTypes)
            error->all(FLERR, "Cannot take pair style diffpair from this restart file: it is damaged");
        for (int j = 1; j <= i; j++)
            setflag[j][i] = map[i] >= 0 && map[j] >= 0;
    }
    takePotential();
}

/** "cutoff" and "r_min", in the units of the input. */
void* PairDiffpair::extract(const char* name, int& dim) {
    dim = 0;
    if (!std::strcmp(name, "cutoff"))
        return &inUnits.grid.cutoff;
    if (!std::strcmp(name, "r_min"))
        return &inUnits.grid.rMin;
    return nullptr;
}

double PairDiffpair::memory_usage() {
    return Pair::memory_usage() + rows.memoryUsage();
}
