#pragma once
// See lmptype.h.
namespace LAMMPS_NS {
class NeighList {
public:
    int inum;
    int *ilist, *numneigh, **firstneigh;
};
} // namespace LAMMPS_NS
