// The pair loops, included once per instruction set by PairKernels_*.cpp with DIFFPAIR_KERNELS set to the name of the
// function that hands them out. Each row works in three passes over flat scratch arrays, so that the compiler
// vectorises the middle one: distances of all listed pairs, packing of those within the cutoff; spline arithmetic;
// scatter to the partners.
#include "PairKernels.h"

namespace diffpair {
namespace {

inline float squareRoot(float v) {
    return __builtin_sqrtf(v);
}
inline double squareRoot(double v) {
    return __builtin_sqrt(v);
}

/** The pairs of one row that lie within the cutoff, packed. */
template <class Real> struct PackedRow {
    Real *dx, *dy, *dz, *r2; // x_i - x_j, minimum image
    Real *out0, *out1, *out2, *out3;
    int *partner, *piece;
    int size;

    explicit PackedRow(const PairRows<Real>& rows) : size(0) {
        Real* s = rows.scratch;
        const int n = rows.longestRow;
        dx = s, dy = s + n, dz = s + 2 * n, r2 = s + 3 * n;
        out0 = s + 4 * n, out1 = s + 5 * n, out2 = s + 6 * n, out3 = s + 7 * n;
        partner = rows.indexScratch, piece = rows.indexScratch + n;
    }

    template <bool Triclinic> void distances(const PairRows<Real>& rows, int i) {
        const int begin = rows.start[i], count = rows.start[i + 1] - begin;
        const int* __restrict neighbors = rows.neighbors + begin;
        const Real* __restrict x = rows.x;
        const Real xi = x[3 * i], yi = x[3 * i + 1], zi = x[3 * i + 2];
        const LoopBox<Real> box = rows.box;
        Real* __restrict px = dx, * __restrict py = dy, * __restrict pz = dz, * __restrict pr = r2;
#pragma GCC ivdep
        for (int n = 0; n < count; n++) {
            const int j = 3 * neighbors[n];
            Real ex = xi - x[j], ey = yi - x[j + 1], ez = zi - x[j + 2];
            box.template apply<Triclinic>(ex, ey, ez);
            px[n] = ex, py[n] = ey, pz[n] = ez;
            pr[n] = ex * ex + ey * ey + ez * ez;
        }
        // Packing in place is safe: entries only move down.
        int kept = 0;
        for (int n = 0; n < count; n++) {
            partner[kept] = neighbors[n];
            px[kept] = px[n], py[kept] = py[n], pz[kept] = pz[n], pr[kept] = pr[n];
            kept += pr[n] < rows.cutoffSquared;
        }
        size = kept;
    }
    void distances(const PairRows<Real>& rows, int i) {
        if (rows.box.triclinic)
            distances<true>(rows, i);
        else
            distances<false>(rows, i);
    }

    /** Piece (as an index into all pieces of all pairs) and t of every packed pair; t goes to out0, 1/r to out1. */
    void locate(const PairRows<Real>& rows, int i) {
        const Real rMin = rows.rMin, inverse = rows.inverseSpacing;
        const int last = rows.numPieces - 1;
        Real* __restrict t = out0, * __restrict inverseR = out1;
        const Real* __restrict pr = r2;
        int* __restrict p = piece;
#pragma GCC ivdep
        for (int n = 0; n < size; n++) {
            // Coincident particles: r is then tiny but finite, and the pair vector, exactly 0, gives no force.
            const Real safe = pr[n] > Real(1e-30) ? pr[n] : Real(1e-30);
            const Real r = squareRoot(safe);
            const Real s = (r - rMin) * inverse;
            const int below = s < 0 ? 1 : 0;
            int interval = below ? 0 : static_cast<int>(s);
            interval = interval < last - 1 ? interval : last - 1; // rounding next to the cutoff: its piece is 0
            t[n] = s - Real(interval);
            inverseR[n] = 1 / r;
            p[n] = interval + 1 - below;
        }
        if (rows.numTypes > 1) {
            const int* pairOf = rows.pairOf + rows.types[i] * rows.numTypes;
            for (int n = 0; n < size; n++)
                p[n] += pairOf[rows.types[partner[n]]] * rows.numPieces;
        }
    }
};

template <class Real> void forces(const PairRows<Real>& rows, Real* f, KernelSums* sums) {
    PackedRow<Real> row(rows);
    const Real* __restrict pieces = rows.pieces;
    for (int i = rows.rowBegin; i < rows.rowEnd; i++) {
        row.distances(rows, i);
        row.locate(rows, i);
        const int size = row.size;
        Real* __restrict scale = row.out1, * __restrict energy = row.out2;
        const Real* __restrict t = row.out0;
        const int* __restrict p = row.piece;
#pragma GCC ivdep
        for (int n = 0; n < size; n++) {
            const Real* a = pieces + 4 * p[n];
            const Real slope = (a[1] + t[n] * (2 * a[2] + 3 * t[n] * a[3])) * rows.inverseSpacing;
            energy[n] = a[0] + t[n] * (a[1] + t[n] * (a[2] + t[n] * a[3]));
            scale[n] *= -slope; // F_i = scale (x_i - x_j)
        }
        if (sums) {
            double rowEnergy = 0, rowVirial = 0;
            long below = 0;
            for (int n = 0; n < size; n++) {
                rowEnergy += energy[n];
                rowVirial += double(scale[n]) * double(row.r2[n]);
                below += t[n] < 0;
            }
            sums->energy += rowEnergy;
            sums->virial += rowVirial;
            sums->belowRMin += below;
        }
        if (f) {
            Real fx = 0, fy = 0, fz = 0;
            for (int n = 0; n < size; n++) {
                const Real gx = scale[n] * row.dx[n], gy = scale[n] * row.dy[n], gz = scale[n] * row.dz[n];
                Real* fj = f + 3 * row.partner[n];
                fj[0] -= gx, fj[1] -= gy, fj[2] -= gz;
                fx += gx, fy += gy, fz += gz;
            }
            f[3 * i] += fx, f[3 * i + 1] += fy, f[3 * i + 2] += fz;
        }
    }
}

template <class Real> void forceAdjoint(const PairRows<Real>& rows, const Real* w, Real* jw, double* moments) {
    PackedRow<Real> row(rows);
    const Real* __restrict pieces = rows.pieces;
    for (int i = rows.rowBegin; i < rows.rowEnd; i++) {
        row.distances(rows, i);
        row.locate(rows, i);
        const int size = row.size;
        const Real wx = w[3 * i], wy = w[3 * i + 1], wz = w[3 * i + 2];
        Real* __restrict along = row.out1, * __restrict bend = row.out2, * __restrict tension = row.out3;
        const Real* __restrict t = row.out0;
        const int* __restrict p = row.piece;
        const int* __restrict partner = row.partner;
        const Real h1 = rows.inverseSpacing;
#pragma GCC ivdep
        for (int n = 0; n < size; n++) {
            const Real* a = pieces + 4 * p[n];
            const int j = 3 * partner[n];
            const Real inverseR = along[n];
            const Real slope = (a[1] + t[n] * (2 * a[2] + 3 * t[n] * a[3])) * h1;
            const Real curvature = (2 * a[2] + 6 * t[n] * a[3]) * h1 * h1;
            const Real eb = ((wx - w[j]) * row.dx[n] + (wy - w[j + 1]) * row.dy[n] + (wz - w[j + 2]) * row.dz[n]) * inverseR;
            tension[n] = slope * inverseR;
            bend[n] = (curvature - slope * inverseR) * eb * inverseR;
            along[n] = -eb * h1; // weight of dU'/dc: F . w = -sum U'(r) e.b
        }
        Real sx = 0, sy = 0, sz = 0;
        for (int n = 0; n < size; n++) {
            const int j = 3 * partner[n];
            const Real gx = bend[n] * row.dx[n] + tension[n] * (wx - w[j]);
            const Real gy = bend[n] * row.dy[n] + tension[n] * (wy - w[j + 1]);
            const Real gz = bend[n] * row.dz[n] + tension[n] * (wz - w[j + 2]);
            jw[j] += gx, jw[j + 1] += gy, jw[j + 2] += gz;
            sx += gx, sy += gy, sz += gz;
            double* m = moments + 4 * p[n];
            m[1] += along[n];
            m[2] += 2 * along[n] * t[n];
            m[3] += 3 * along[n] * t[n] * t[n];
        }
        jw[3 * i] -= sx, jw[3 * i + 1] -= sy, jw[3 * i + 2] -= sz;
    }
}

template <class Real> void moments(const PairRows<Real>& rows, double* moments) {
    PackedRow<Real> row(rows);
    for (int i = rows.rowBegin; i < rows.rowEnd; i++) {
        row.distances(rows, i);
        row.locate(rows, i);
        for (int n = 0; n < row.size; n++) {
            double* m = moments + 4 * row.piece[n];
            const double t = row.out0[n];
            m[0] += 1;
            m[1] += t;
            m[2] += t * t;
            m[3] += t * t * t;
        }
    }
}

} // namespace

template <class Real> PairKernels<Real> DIFFPAIR_KERNELS() {
    return {forces<Real>, forceAdjoint<Real>, moments<Real>};
}
template PairKernels<float> DIFFPAIR_KERNELS<float>();
template PairKernels<double> DIFFPAIR_KERNELS<double>();

} // namespace diffpair
