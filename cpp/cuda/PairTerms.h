#pragma once
#include "CellList.h"

namespace diffpair::cuda {

/** Where pairs lie in a table; the polynomial pieces of Table.h. */
template <class Real> struct PairTable {
    const Four<Real>* pieces; // [numTypePairs * numPieces]; may be null where no potential is evaluated
    const int* firstPiece;    // [numTypes * numTypes]: of a pair of types
    int numTypes, numPieces;
    Real rMin, inverseSpacing, cutoffSquared;
};

/** A pair within the cutoff. */
template <class Real> struct Pair {
    Real dx, dy, dz, r2; // x_i - x_j, nearest image
    Real t, inverseR;    // place in the piece of the table; 1 / r
    int piece;
};

DIFFPAIR_HD inline float inverseRoot(float v) {
#ifdef __CUDA_ARCH__
    return rsqrtf(v);
#else
    return 1 / std::sqrt(v);
#endif
}
DIFFPAIR_HD inline double inverseRoot(double v) {
    return 1 / std::sqrt(v);
}

/** False if the pair is beyond the cutoff; the positions' fourth number is the type. */
template <class Real>
DIFFPAIR_HD bool measure(const PairTable<Real>& table, const ReplicaBox<Real>& box, const Four<Real>& xi, const Four<Real>& xj,
                         Pair<Real>& pair) {
    pair.dx = xi.x - xj.x, pair.dy = xi.y - xj.y, pair.dz = xi.z - xj.z;
    box.nearestImage(pair.dx, pair.dy, pair.dz);
    pair.r2 = pair.dx * pair.dx + pair.dy * pair.dy + pair.dz * pair.dz;
    if (!(pair.r2 < table.cutoffSquared))
        return false;
    // Coincident particles: r is then tiny but finite, and the pair vector, exactly 0, gives no force.
    const Real square = pair.r2 > Real(1e-30) ? pair.r2 : Real(1e-30);
    pair.inverseR = inverseRoot(square);
    const Real s = (square * pair.inverseR - table.rMin) * table.inverseSpacing;
    const int last = table.numPieces - 3; // also for a pair that only rounding puts on the cutoff
    int whole = s > 0 ? static_cast<int>(s) : 0;
    whole = whole < last ? whole : last;
    pair.t = s - whole;
    pair.piece = whole + (s < 0 ? 0 : 1); // the linear piece below rMin comes first
    if (table.numTypes > 1)
        pair.piece += table.firstPiece[static_cast<int>(xi.w) * table.numTypes + static_cast<int>(xj.w)];
    return true;
}

/** F_i = scale (x_i - x_j). */
template <class Real> DIFFPAIR_HD Real forceScale(const PairTable<Real>& table, const Pair<Real>& pair, const Four<Real>& a) {
    return (a.y + pair.t * (2 * a.z + 3 * pair.t * a.w)) * pair.inverseR * -table.inverseSpacing;
}

/** What the kernels of a time need: the list, the table, the positions [R, N]. */
template <class Real> struct PairsView {
    ListView<Real> list;
    PairTable<Real> table;
    const Four<Real>* x;

    /** Call use(partner's index, pair) for the pairs of an atom that lie within the cutoff. */
    template <bool ownOnly, class Use> DIFFPAIR_HD void overPairs(size_t atom, const Use& use) const {
        const ReplicaBox<Real> box = list.boxes[atom / list.numAtoms]; // a copy: it then stays in registers
        const Four<Real> xi = x[atom];
        list.template overNeighbors<ownOnly>(atom, [&](size_t partner) {
            Pair<Real> pair;
            if (measure(table, box, xi, x[partner], pair))
                use(partner, pair);
        });
    }
};

/** Per atom: v += kick F. */
template <class Real> struct Kick {
    PairsView<Real> pairs;
    const Real* kick; // [N]: timestep over mass
    Real* v;          // [R, N, 3]

    DIFFPAIR_HD void operator()(size_t atom) const {
        Real fx = 0, fy = 0, fz = 0;
        pairs.template overPairs<false>(atom, [&](size_t, const Pair<Real>& pair) {
            const Real scale = forceScale(pairs.table, pair, pairs.table.pieces[pair.piece]);
            fx += scale * pair.dx, fy += scale * pair.dy, fz += scale * pair.dz;
        });
        const Real factor = kick[atom % pairs.list.numAtoms];
        v[3 * atom] += factor * fx;
        v[3 * atom + 1] += factor * fy;
        v[3 * atom + 2] += factor * fz;
    }
};

/** Per atom: its force, and its halves of the energy and the virial of its pairs. */
template <class Real> struct Forces {
    PairsView<Real> pairs;
    size_t piecesPerFrame;   // 0: all frames share a table
    Real* f;                 // [R, N, 3]
    double *energy, *virial; // [R, N]

    DIFFPAIR_HD void operator()(size_t atom) const {
        const Four<Real>* pieces = pairs.table.pieces + atom / pairs.list.numAtoms * piecesPerFrame;
        Real fx = 0, fy = 0, fz = 0;
        double u = 0, w = 0;
        pairs.template overPairs<false>(atom, [&](size_t, const Pair<Real>& pair) {
            const Four<Real> a = pieces[pair.piece];
            const Real scale = forceScale(pairs.table, pair, a);
            fx += scale * pair.dx, fy += scale * pair.dy, fz += scale * pair.dz;
            u += a.x + pair.t * (a.y + pair.t * (a.z + pair.t * a.w));
            w += scale * pair.r2;
        });
        f[3 * atom] = fx, f[3 * atom + 1] = fy, f[3 * atom + 2] = fz;
        energy[atom] = 0.5 * u, virial[atom] = 0.5 * w;
    }
};

/** The part of the force's adjoint that both kernels of it need: w_i - w_j along the pair. */
template <class Real> DIFFPAIR_HD Real alongPair(const Pair<Real>& pair, const Four<Real>& wi, const Four<Real>& wj) {
    return ((wi.x - wj.x) * pair.dx + (wi.y - wj.y) * pair.dy + (wi.z - wj.z) * pair.dz) * pair.inverseR;
}

/** Per atom: jw_i += sum_j (dF_j/dx_i)^T w_j, see PairLoops::forceAdjoint. */
template <class Real> struct AddJacobian {
    PairsView<Real> pairs;
    const Four<Real>* w; // [R, N]
    Real* jw;            // [R, N, 3]

    DIFFPAIR_HD void operator()(size_t atom) const {
        const Four<Real> wi = w[atom];
        const Real h1 = pairs.table.inverseSpacing;
        Real sx = 0, sy = 0, sz = 0;
        pairs.template overPairs<false>(atom, [&](size_t partner, const Pair<Real>& pair) {
            const Four<Real> a = pairs.table.pieces[pair.piece], wj = w[partner];
            const Real slope = (a.y + pair.t * (2 * a.z + 3 * pair.t * a.w)) * h1;
            const Real curvature = (2 * a.z + 6 * pair.t * a.w) * (h1 * h1);
            const Real eb = alongPair(pair, wi, wj), tension = slope * pair.inverseR;
            const Real bend = (tension - curvature) * eb * pair.inverseR;
            sx += bend * pair.dx - tension * (wi.x - wj.x);
            sy += bend * pair.dy - tension * (wi.y - wj.y);
            sz += bend * pair.dz - tension * (wi.z - wj.z);
        });
        jw[3 * atom] += sx, jw[3 * atom + 1] += sy, jw[3 * atom + 2] += sz;
    }
};

} // namespace diffpair::cuda
