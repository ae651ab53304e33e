#pragma once
#include "diffpair/Executor.h"
#include "diffpair/PairLoops.h"
#include "pair.h"
#include "PairRows.h"
#include "Potential.h"
#include <vector>

namespace LAMMPS_NS {

/**
 *     pair_style diffpair [sigma NM epsilon KJ/MOL]
 *     pair_coeff * * FILE TYPE ...
 *
 * The potential file's splines as they are, by the pair loops of DiffPair's core in double precision. FILE is a potential
 * file, each TYPE one of its types for a type of LAMMPS, or NULL for one that another style of a hybrid serves. With units lj,
 * sigma and epsilon tell how large the units of length and energy are.
 */
class PairDiffpair : public Pair {
public:
    explicit PairDiffpair(class LAMMPS* lmp);
    ~PairDiffpair() override;
    void compute(int eflag, int vflag) override;
    void settings(int argc, char** argv) override;
    void coeff(int argc, char** argv) override;
    void init_style() override;
    double init_one(int i, int j) override;
    double single(int i, int j, int itype, int jtype, double rsq, double factorCoul, double factorLj, double& fforce) override;
    void write_restart(FILE* file) override;
    void read_restart(FILE* file) override;
    void write_restart_settings(FILE* file) override;
    void read_restart_settings(FILE* file) override;
    void* extract(const char* name, int& dim) override;
    double memory_usage() override;

private:
    void allocate();
    void takePotential();
    std::string readFile(const char* name) const;
    void updateRows();
    void computeByLoops(const diffpair::PairList<double>& pairs, double weight);
    void computePairByPair();
    void addPair(int i, int j, double factor);
    double evaluate(int itype, int jtype, double r, double& slope) const;
    void warnBelowRMin(int64_t pairs);
    double sigma = 0, epsilon = 0;         // as given, nm and kJ/mol; 0 if not
    diffpair::lammps::Potential potential; // as in the file
    diffpair::lammps::Potential inUnits;   // the same in the units of this input
    diffpair::PairTablePieces<double> table;
    diffpair::lammps::PairRows rows;
    diffpair::PairLoops<double> loops;
    diffpair::SerialExecutor executor; // a process of MPI is one thread
    bigint builds = -1;                // of neighbour lists when the rows were made; -1 if they are none of this run
    bool ownSearch = false;            // whether the core searches the pairs
    bool warned = false;
};

} // namespace LAMMPS_NS
