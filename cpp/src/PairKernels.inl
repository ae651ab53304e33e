// The pair loops, included once per instruction set by PairKernels_*.cpp with DIFFPAIR_KERNELS set to the name of the
// function that hands them out. They take the rows of one cluster at a time, in passes over flat scratch arrays: the
// listed pairs are measured, and those within the cutoff packed side by side; they are placed in the table; the spline
// is evaluated and what comes out given to both partners. Each pass is short enough for a processor to overlap packs.
#include "Pack.h"
#include "PairKernels.h"

namespace diffpair {
namespace {

/** The pairs of one cluster's rows that lie within the cutoff, packed. */
template <class Real> class ClusterPairs {
    using P = Pack<Real>;
    using Lanes = typename P::Lanes;

public:
    explicit ClusterPairs(const PairRows<Real>& rows) : rows(rows) {
        Real* s = rows.scratch;
        const int n = rows.scratchSize;
        dx = s, dy = s + n, dz = s + 2 * n, r2 = s + 3 * n, t = s + 4 * n, inverseR = s + 5 * n;
        partner = rows.indexScratch, piece = rows.indexScratch + n;
    }
    Real *dx, *dy, *dz, *r2; // x_i - x_j, minimum image
    Real *t, *inverseR;      // place in the piece of the table; 1 / r
    int *partner, *piece;    // offsets of the partner and of the coefficients of its piece
    // Pairs rowEnd[l - 1] .. rowEnd[l] - 1 belong to atom l of the cluster. Up to a whole pack behind the last one there are
    // idle pairs: of distance 0, without a partner, in the piece beyond the cutoff, which is 0.
    int rowEnd[clusterSize], size = 0;

    int rowStart(int l) const {
        return l > 0 ? rowEnd[l - 1] : 0;
    }

    /** Collects the pairs of a cluster's rows; false if there are none. */
    bool collect(int cluster) {
        const bool typed = rows.numTypes > 1;
        if (!rows.needsImages[cluster])
            typed ? measure<Images::None, true>(cluster) : measure<Images::None, false>(cluster);
        else if (!rows.box.triclinic)
            typed ? measure<Images::Rectangular, true>(cluster) : measure<Images::Rectangular, false>(cluster);
        else
            typed ? measure<Images::Triclinic, true>(cluster) : measure<Images::Triclinic, false>(cluster);
        const int kept = size;
        fillUp();
        locate();
        markIdle(kept);
        return size > 0;
    }

    /** What the pairs n .. n + width - 1 find in the fours of their own atoms, the rows of which end at `ends`. */
    template <bool all> static void ownFours(const Real* fours, const int* ends, int n, Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
        int l = 0;
        while (l < clusterSize - 1 && ends[l] <= n)
            l++;
        a = P::all(fours[4 * l]), b = P::all(fours[4 * l + 1]), c = P::all(fours[4 * l + 2]);
        if (all)
            d = P::all(fours[4 * l + 3]);
        for (; l < clusterSize - 1 && ends[l] < n + P::width; l++) { // the next row begins in this pack
            const auto before = P::first(ends[l] - n);
            a = P::choose(before, a, P::all(fours[4 * l + 4]));
            b = P::choose(before, b, P::all(fours[4 * l + 5]));
            c = P::choose(before, c, P::all(fours[4 * l + 6]));
            if (all)
                d = P::choose(before, d, P::all(fours[4 * l + 7]));
        }
    }

private:
    template <Images images, bool typed> void measure(int cluster) {
        const int64_t *start = rows.start + clusterSize * cluster, begin = start[0];
        const int count = static_cast<int>(start[clusterSize] - begin);
        const int* neighbors = rows.neighbors + begin;
        const Real *x = rows.x, *own = x + offsetOfSlot(clusterSize * cluster);
        const Lanes limit = P::all(rows.cutoffSquared);
        const LoopBox<Real> box = rows.box;
        const int numTypes = rows.numTypes;
        Real *toX = dx, *toY = dy, *toZ = dz, *toSquare = r2;
        int *toPartner = partner, *toPiece = piece, kept = 0, ends[clusterSize], row = 0;
        for (int l = 0; l < clusterSize; l++)
            ends[l] = static_cast<int>(start[l + 1] - begin);
        for (int n = 0; n < count; n += P::width) {
            Lanes xi, yi, zi, ownType, xj, yj, zj, type;
            ownFours<typed>(own, ends, n, xi, yi, zi, ownType);
            P::loadFours(x, neighbors + n, xj, yj, zj, type);
            Lanes ex = xi - xj, ey = yi - yj, ez = zi - zj;
            box.template apply<images>(ex, ey, ez);
            const Lanes square = ex * ex + ey * ey + ez * ez;
            const auto within = P::both(P::less(square, limit), P::first(count - n));
            P::pack(within, ex, toX + kept);
            P::pack(within, ey, toY + kept);
            P::pack(within, ez, toZ + kept);
            P::pack(within, square, toSquare + kept);
            P::pack(within, P::loadIndices(neighbors + n), toPartner + kept);
            if (typed) // for now: where the pieces of this pair of types begin
                P::pack(within, P::lookUp(rows.firstPiece, numTypes * numTypes, P::truncate(ownType * Real(numTypes) + type)),
                        toPiece + kept);
            for (; row < clusterSize && ends[row] <= n + P::width; row++)
                rowEnd[row] = kept + P::count(P::both(within, P::first(ends[row] - n)));
            kept += P::count(within);
        }
        for (; row < clusterSize; row++)
            rowEnd[row] = kept;
        size = kept;
    }

    void fillUp() {
        if (P::width == 1)
            return;
        const Lanes zero = P::all(Real(0));
        P::store(dx + size, zero), P::store(dy + size, zero), P::store(dz + size, zero);
        P::store(r2 + size, P::all(rows.cutoffSquared));
        P::storeIndices(partner + size, P::loadIndices(rows.idle));
        P::storeIndices(piece + size, P::truncate(zero));
        size = (size + P::width - 1) / P::width * P::width;
    }

    /** Not left to their distance: rounding could put the cutoff itself into the last piece before it. */
    void markIdle(int kept) {
        if (P::width > 1)
            P::storeIndices(piece + kept, P::truncate(P::all(Real(4) * Real(rows.numPieces - 1))));
    }

    /** Finds the place of every pair in the table. */
    void locate() {
        const Lanes last = P::all(Real(rows.numPieces - 3)); // also for a pair that only rounding puts on the cutoff
        const Lanes zero = P::all(Real(0)), one = P::all(Real(1)), least = P::all(Real(1e-30));
        const Real rMin = rows.rMin, inverseSpacing = rows.inverseSpacing;
        const bool typed = rows.numTypes > 1;
        for (int n = 0; n < size; n += P::width) {
            // Coincident particles: r is then tiny but finite, and the pair vector, exactly 0, gives no force.
            const Lanes square = P::larger(P::load(r2 + n), least), inverse = P::inverseSquareRoot(square);
            const Lanes s = (square * inverse - rMin) * inverseSpacing;
            const Lanes whole = P::toReal(P::truncate(P::smaller(P::larger(s, zero), last)));
            P::store(t + n, s - whole);
            P::store(inverseR + n, inverse);
            // The linear piece below rMin comes first.
            const auto own = P::truncate(4 * (whole + P::choose(P::less(s, zero), zero, one)));
            P::storeIndices(piece + n, typed ? own + P::loadIndices(piece + n) : own);
        }
    }

    const PairRows<Real>& rows;
};

/** Adds the sums of each row of (x, y, z), one vector per pair, to the row's four. */
template <class Real>
void addRowSums(const ClusterPairs<Real>& pairs, int cluster, const Real* x, const Real* y, const Real* z, Real* fours) {
    using P = Pack<Real>;
    const auto zero = P::all(Real(0));
    for (int l = 0; l < clusterSize; l++) {
        const int begin = pairs.rowStart(l), end = pairs.rowEnd[l];
        if (begin == end)
            continue;
        auto sx = zero, sy = zero, sz = zero;
        for (int n = begin; n < end; n += P::width) {
            const auto own = P::first(end - n);
            sx += P::choose(own, P::load(x + n), zero);
            sy += P::choose(own, P::load(y + n), zero);
            sz += P::choose(own, P::load(z + n), zero);
        }
        P::addTotals(fours + offsetOfSlot(clusterSize * cluster + l), sx, sy, sz);
    }
}

enum class Sums { None, Scalars, Tensor };

template <class Real, bool wantForces, Sums wanted>
void forceLoop(const PairRows<Real>& rows, Real* f, PairSums* sums, VirialTensor* tensor) {
    using P = Pack<Real>;
    using Lanes = typename P::Lanes;
    constexpr bool wantSums = wanted != Sums::None, wantTensor = wanted == Sums::Tensor;
    ClusterPairs<Real> pairs(rows);
    const Real* pieces = rows.pieces;
    const Real h1 = rows.inverseSpacing;
    for (int cluster = rows.clusterBegin; cluster < rows.clusterEnd; cluster++) {
        if (!pairs.collect(cluster))
            continue;
        Real *dx = pairs.dx, *dy = pairs.dy, *dz = pairs.dz;
        Lanes virial[wantTensor ? 6 : 1]; // of this cluster: so few that they add up in single precision
        for (Lanes& component : virial)
            component = P::all(Real(0));
        for (int n = 0; n < pairs.size; n += P::width) {
            const Lanes t = P::load(pairs.t + n);
            Lanes a0, a1, a2, a3;
            P::loadFours(pieces, pairs.piece + n, a0, a1, a2, a3);
            const Lanes slope = a1 + t * (2 * a2 + 3 * t * a3);
            const Lanes scale = slope * P::load(pairs.inverseR + n) * -h1; // F_i = scale (x_i - x_j)
            if (wantSums) {
                sums->energy += P::total(a0 + t * (a1 + t * (a2 + t * a3)));
                sums->virial += P::total(scale * P::load(pairs.r2 + n));
                // but not where the table is 0, as that of particles that take no part
                sums->belowRMin += P::count(P::less(t * (a0 * a0 + a1 * a1), P::all(0)));
            }
            if constexpr (wantTensor) {
                const Lanes x = P::load(dx + n), y = P::load(dy + n), z = P::load(dz + n);
                const Lanes gx = scale * x, gy = scale * y;
                virial[0] += gx * x, virial[1] += gy * y, virial[2] += scale * z * z;
                virial[3] += gx * y, virial[4] += gx * z, virial[5] += gy * z;
            }
            if (wantForces) {
                const Lanes gx = scale * P::load(dx + n), gy = scale * P::load(dy + n), gz = scale * P::load(dz + n);
                P::subtractFromFours(f, pairs.partner + n, gx, gy, gz);
                P::store(dx + n, gx), P::store(dy + n, gy), P::store(dz + n, gz);
            }
        }
        if constexpr (wantTensor)
            for (int k = 0; k < 6; k++)
                tensor->components[k] += P::total(virial[k]);
        if (wantForces)
            addRowSums(pairs, cluster, dx, dy, dz, f);
    }
}

template <class Real> void forces(const PairRows<Real>& rows, Real* f, PairSums* sums, VirialTensor* tensor) {
    if (f && tensor)
        forceLoop<Real, true, Sums::Tensor>(rows, f, sums, tensor);
    else if (f && sums)
        forceLoop<Real, true, Sums::Scalars>(rows, f, sums, nullptr);
    else if (f)
        forceLoop<Real, true, Sums::None>(rows, f, nullptr, nullptr);
    else if (tensor)
        forceLoop<Real, false, Sums::Tensor>(rows, nullptr, sums, tensor);
    else if (sums)
        forceLoop<Real, false, Sums::Scalars>(rows, nullptr, sums, nullptr);
}

template <class Real> void forceAdjoint(const PairRows<Real>& rows, const Real* w, Real* jw, double* moments) {
    using P = Pack<Real>;
    using Lanes = typename P::Lanes;
    ClusterPairs<Real> pairs(rows);
    const Real* pieces = rows.pieces;
    const Real h1 = rows.inverseSpacing;
    const Lanes zero = P::all(0);
    for (int cluster = rows.clusterBegin; cluster < rows.clusterEnd; cluster++) {
        if (!pairs.collect(cluster))
            continue;
        const Real* own = w + offsetOfSlot(clusterSize * cluster);
        for (int n = 0; n < pairs.size; n += P::width) {
            const Lanes t = P::load(pairs.t + n), inverseR = P::load(pairs.inverseR + n);
            Lanes a0, a1, a2, a3, wx, wy, wz, bx, by, bz, unused;
            P::loadFours(pieces, pairs.piece + n, a0, a1, a2, a3);
            pairs.template ownFours<false>(own, pairs.rowEnd, n, wx, wy, wz, unused);
            P::loadFours(w, pairs.partner + n, bx, by, bz, unused);
            bx = wx - bx, by = wy - by, bz = wz - bz; // b = w_i - w_j
            const Lanes dx = P::load(pairs.dx + n), dy = P::load(pairs.dy + n), dz = P::load(pairs.dz + n);
            const Lanes slope = (a1 + t * (2 * a2 + 3 * t * a3)) * h1, curvature = (2 * a2 + 6 * t * a3) * (h1 * h1);
            const Lanes eb = (bx * dx + by * dy + bz * dz) * inverseR, tension = slope * inverseR;
            const Lanes bend = (tension - curvature) * eb * inverseR;
            const Lanes gx = bend * dx - tension * bx, gy = bend * dy - tension * by, gz = bend * dz - tension * bz;
            P::subtractFromFours(jw, pairs.partner + n, gx, gy, gz);
            P::store(pairs.dx + n, gx), P::store(pairs.dy + n, gy), P::store(pairs.dz + n, gz);
            const Lanes along = eb * -h1; // weight of dU'/dc: F . w = -sum U'(r) e.b
            P::addToFours(moments, pairs.piece + n, zero, along, 2 * along * t, 3 * along * t * t);
        }
        addRowSums(pairs, cluster, pairs.dx, pairs.dy, pairs.dz, jw);
    }
}

template <class Real> void moments(const PairRows<Real>& rows, double* moments) {
    using P = Pack<Real>;
    using Lanes = typename P::Lanes;
    ClusterPairs<Real> pairs(rows);
    for (int cluster = rows.clusterBegin; cluster < rows.clusterEnd; cluster++) {
        if (!pairs.collect(cluster))
            continue;
        for (int n = 0; n < pairs.size; n += P::width) {
            const Lanes t = P::load(pairs.t + n);
            P::addToFours(moments, pairs.piece + n, P::all(1), t, t * t, t * t * t);
        }
    }
}

template <class Real, Images images> void searchFor(const ClusterSearch<Real>& search, int* const* rows, int* kept) {
    using P = Pack<Real>;
    using Lanes = typename P::Lanes;
    const LoopBox<Real> box = search.box;
    const Lanes limit = P::all(search.reachSquared);
    int sizes[clusterSize] = {};
    for (int n = 0; n < search.numCandidates; n += P::width) {
        Lanes x, y, z, unused;
        P::loadFours(search.x, search.candidates + n, x, y, z, unused);
        const auto offsets = P::loadIndices(search.candidates + n);
        const auto valid = P::first(search.numCandidates - n);
        for (int l = 0; l < clusterSize; l++) {
            const Real* own = search.x + offsetOfSlot(clusterSize * search.cluster + l);
            Lanes dx = own[0] - x, dy = own[1] - y, dz = own[2] - z;
            box.template apply<images>(dx, dy, dz);
            // Not less for an empty slot, which holds no number.
            const auto within = P::both(P::less(dx * dx + dy * dy + dz * dz, limit), valid);
            P::pack(within, offsets, rows[l] + sizes[l]);
            sizes[l] += P::count(within);
        }
    }
    for (int l = 0; l < clusterSize; l++)
        kept[l] = sizes[l];
}

template <class Real> void search(const ClusterSearch<Real>& search, int* const* rows, int* kept) {
    if (!search.needsImages)
        searchFor<Real, Images::None>(search, rows, kept);
    else if (search.box.triclinic)
        searchFor<Real, Images::Triclinic>(search, rows, kept);
    else
        searchFor<Real, Images::Rectangular>(search, rows, kept);
}

} // namespace

template <class Real> PairKernels<Real> DIFFPAIR_KERNELS() {
    return {forces<Real>, forceAdjoint<Real>, moments<Real>, search<Real>};
}
template PairKernels<float> DIFFPAIR_KERNELS<float>();
template PairKernels<double> DIFFPAIR_KERNELS<double>();

} // namespace diffpair
