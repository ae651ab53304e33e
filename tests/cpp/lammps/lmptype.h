#pragma once
// What plugin/lammps/PairRows takes of LAMMPS's header of this name, by its documentation: so its tests need no LAMMPS.
namespace LAMMPS_NS {
using tagint = int;
}
constexpr int SBBITS = 30, NEIGHMASK = 0x1FFFFFFF;
