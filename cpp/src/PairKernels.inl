// The pair loops, included once per instruction set by PairKernels_*.cpp with DIFFPAIR_KERNELS set to the name of the
// function that hands them out. Each row works in three passes over flat scratch arrays, so that the compiler
// vectorises the middle one: distances of all listed pairs, packing of those within the cutoff; spline arithmetic;
// scatter to the partners.
#include "PairKernels.h"
#ifdef __AVX512F__
#include <immintrin.h>
#endif

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

    template <bool Triclinic> void distances(const PairRows<Real>& rows, int row, int i) {
        const int begin = rows.start[row], count = rows.start[row + 1] - begin;
        const int* __restrict neighbors = rows.neighbors + begin;
        const Real* __restrict x = rows.x;
        const Real xi = x[i], yi = x[i + yOffset], zi = x[i + zOffset];
        const LoopBox<Real> box = rows.box;
        Real* __restrict px = dx, * __restrict py = dy, * __restrict pz = dz, * __restrict pr = r2;
#pragma GCC ivdep
        for (int n = 0; n < count; n++) {
            const int j = neighbors[n];
            Real ex = xi - x[j], ey = yi - x[j + yOffset], ez = zi - x[j + zOffset];
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

#ifdef __AVX512F__
    /** The same, sixteen pairs at a time; the compiler finds neither the gathers nor the packing. Scratch has room for it. */
    void distancesOf16(const PairRows<float>& rows, int row, int i) {
        const int begin = rows.start[row], count = rows.start[row + 1] - begin;
        const float* x = rows.x;
        typedef float Lanes __attribute__((vector_size(64)));
        const LoopBox<float>& box = rows.box;
        const Lanes xi = Lanes{} + x[i], yi = Lanes{} + x[i + yOffset], zi = Lanes{} + x[i + zOffset];
        const __m512 limit = _mm512_set1_ps(rows.cutoffSquared);
        const auto gather = [&](__mmask16 valid, __m512i j, int offset) {
            return reinterpret_cast<Lanes>(_mm512_mask_i32gather_ps(_mm512_setzero_ps(), valid, j, x + offset, 4));
        };
        const auto pack = [&](__mmask16 within, Lanes v, float* to) {
            _mm512_storeu_ps(to, _mm512_maskz_compress_ps(within, reinterpret_cast<__m512>(v)));
        };
        int kept = 0;
        for (int n = 0; n < count; n += 16) {
            const __mmask16 valid = count - n >= 16 ? 0xFFFF : static_cast<__mmask16>((1u << (count - n)) - 1);
            const __m512i j = _mm512_maskz_loadu_epi32(valid, rows.neighbors + begin + n);
            Lanes ex = xi - gather(valid, j, 0), ey = yi - gather(valid, j, yOffset), ez = zi - gather(valid, j, zOffset);
            if (box.triclinic)
                box.apply<true>(ex, ey, ez);
            else
                box.apply<false>(ex, ey, ez);
            const Lanes square = ex * ex + ey * ey + ez * ez;
            const __mmask16 within = _mm512_mask_cmp_ps_mask(valid, reinterpret_cast<__m512>(square), limit, _CMP_LT_OQ);
            pack(within, ex, dx + kept);
            pack(within, ey, dy + kept);
            pack(within, ez, dz + kept);
            pack(within, square, r2 + kept);
            _mm512_storeu_si512(partner + kept, _mm512_maskz_compress_epi32(within, j));
            kept += __builtin_popcount(within);
        }
        size = kept;
    }
#endif

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
            const int* firstPiece = rows.firstPiece + rows.types[i] * rows.numTypes;
            for (int n = 0; n < size; n++)
                p[n] += firstPiece[rows.types[partner[n]]];
        }
    }

    void measure(const PairRows<Real>& rows, int row, int i) {
#ifdef __AVX512F__
        if constexpr (sizeof(Real) == sizeof(float))
            return distancesOf16(rows, row, i);
#endif
        if (rows.box.triclinic)
            distances<true>(rows, row, i);
        else
            distances<false>(rows, row, i);
    }

    /** All of the above for one row; false if there is nothing to do. */
    bool prepare(const PairRows<Real>& rows, int row, int i) {
        if (rows.start[row] == rows.start[row + 1])
            return false;
        measure(rows, row, i);
        locate(rows, i);
        return size > 0;
    }
};

template <class Real> void forces(const PairRows<Real>& rows, Real* f, KernelSums* sums) {
    PackedRow<Real> pairs(rows);
    const Real* __restrict pieces = rows.pieces;
    for (int row = rows.rowBegin; row < rows.rowEnd; row++) {
        const int i = offsetOfSlot(row);
        if (!pairs.prepare(rows, row, i))
            continue;
        const int size = pairs.size;
        // Local copies of everything: a store through one pointer must not make the compiler doubt the others.
        Real* __restrict scale = pairs.out1;
        Real* __restrict energy = pairs.out2;
        const Real* __restrict t = pairs.out0;
        const Real *dx = pairs.dx, *dy = pairs.dy, *dz = pairs.dz;
        const int* __restrict p = pairs.piece;
        const int* __restrict partner = pairs.partner;
        const Real h1 = rows.inverseSpacing;
#pragma GCC ivdep
        for (int n = 0; n < size; n++) {
            const int a = 4 * p[n];
            const Real slope = (pieces[a + 1] + t[n] * (2 * pieces[a + 2] + 3 * t[n] * pieces[a + 3])) * h1;
            scale[n] *= -slope; // F_i = scale (x_i - x_j)
        }
        if (sums) {
#pragma GCC ivdep
            for (int n = 0; n < size; n++) {
                const int a = 4 * p[n];
                energy[n] = pieces[a] + t[n] * (pieces[a + 1] + t[n] * (pieces[a + 2] + t[n] * pieces[a + 3]));
            }
            double rowEnergy = 0, rowVirial = 0;
            long below = 0;
            for (int n = 0; n < size; n++) {
                rowEnergy += energy[n];
                rowVirial += double(scale[n]) * double(pairs.r2[n]);
                below += t[n] < 0;
            }
            sums->energy += rowEnergy;
            sums->virial += rowVirial;
            sums->belowRMin += below;
        }
        if (f) {
            Real fx = 0, fy = 0, fz = 0;
            for (int n = 0; n < size; n++) {
                const Real gx = scale[n] * dx[n], gy = scale[n] * dy[n], gz = scale[n] * dz[n];
                Real* fj = f + partner[n];
                fj[0] -= gx, fj[yOffset] -= gy, fj[zOffset] -= gz;
                fx += gx, fy += gy, fz += gz;
            }
            f[i] += fx, f[i + yOffset] += fy, f[i + zOffset] += fz;
        }
    }
}

template <class Real> void forceAdjoint(const PairRows<Real>& rows, const Real* w, Real* jw, double* moments) {
    PackedRow<Real> pairs(rows);
    const Real* __restrict pieces = rows.pieces;
    for (int row = rows.rowBegin; row < rows.rowEnd; row++) {
        const int i = offsetOfSlot(row);
        if (!pairs.prepare(rows, row, i))
            continue;
        const int size = pairs.size;
        const Real wx = w[i], wy = w[i + yOffset], wz = w[i + zOffset];
        Real* __restrict along = pairs.out1;
        Real* __restrict bend = pairs.out2;
        Real* __restrict tension = pairs.out3;
        const Real* __restrict t = pairs.out0;
        const Real *dx = pairs.dx, *dy = pairs.dy, *dz = pairs.dz;
        const int* __restrict p = pairs.piece;
        const int* __restrict partner = pairs.partner;
        const Real h1 = rows.inverseSpacing;
#pragma GCC ivdep
        for (int n = 0; n < size; n++) {
            const int a = 4 * p[n], j = partner[n];
            const Real inverseR = along[n], a2 = pieces[a + 2], a3 = pieces[a + 3];
            const Real slope = (pieces[a + 1] + t[n] * (2 * a2 + 3 * t[n] * a3)) * h1;
            const Real curvature = (2 * a2 + 6 * t[n] * a3) * h1 * h1;
            const Real eb = ((wx - w[j]) * dx[n] + (wy - w[j + yOffset]) * dy[n] + (wz - w[j + zOffset]) * dz[n]) * inverseR;
            tension[n] = slope * inverseR;
            bend[n] = (curvature - slope * inverseR) * eb * inverseR;
            along[n] = -eb * h1; // weight of dU'/dc: F . w = -sum U'(r) e.b
        }
        Real sx = 0, sy = 0, sz = 0;
        for (int n = 0; n < size; n++) {
            const int j = partner[n];
            const Real gx = bend[n] * dx[n] + tension[n] * (wx - w[j]);
            const Real gy = bend[n] * dy[n] + tension[n] * (wy - w[j + yOffset]);
            const Real gz = bend[n] * dz[n] + tension[n] * (wz - w[j + zOffset]);
            jw[j] += gx, jw[j + yOffset] += gy, jw[j + zOffset] += gz;
            sx += gx, sy += gy, sz += gz;
            double* m = moments + 4 * p[n];
            m[1] += along[n];
            m[2] += 2 * along[n] * t[n];
            m[3] += 3 * along[n] * t[n] * t[n];
        }
        jw[i] -= sx, jw[i + yOffset] -= sy, jw[i + zOffset] -= sz;
    }
}

template <class Real> void moments(const PairRows<Real>& rows, double* moments) {
    PackedRow<Real> pairs(rows);
    for (int row = rows.rowBegin; row < rows.rowEnd; row++) {
        if (!pairs.prepare(rows, row, offsetOfSlot(row)))
            continue;
        for (int n = 0; n < pairs.size; n++) {
            double* m = moments + 4 * pairs.piece[n];
            const double t = pairs.out0[n];
            m[0] += 1;
            m[1] += t;
            m[2] += t * t;
            m[3] += t * t * t;
        }
    }
}

template <class Real, bool Triclinic>
int neighborsOf(const Real* x, int i, const int* clusters, int numClusters, Real reachSquared, const LoopBox<Real> box, Real* r2,
                int* out) {
    const Real xi = x[i], yi = x[i + yOffset], zi = x[i + zOffset];
    for (int k = 0; k < numClusters; k++) {
        const Real* __restrict p = x + 3 * clusterSize * static_cast<long>(clusters[k]);
        Real* __restrict to = r2 + clusterSize * k;
        for (int l = 0; l < clusterSize; l++) {
            Real dx = xi - p[l], dy = yi - p[l + yOffset], dz = zi - p[l + zOffset];
            box.template apply<Triclinic>(dx, dy, dz);
            to[l] = dx * dx + dy * dy + dz * dz;
        }
    }
    int kept = 0;
    for (int k = 0; k < numClusters; k++) {
        const int first = 3 * clusterSize * clusters[k];
        for (int l = 0; l < clusterSize; l++) {
            out[kept] = first + l;
            kept += r2[clusterSize * k + l] < reachSquared; // false for an empty slot, which holds no number
        }
    }
    return kept;
}

template <class Real>
int search(const Real* x, int i, const int* clusters, int numClusters, Real reachSquared, const LoopBox<Real>& box, Real* r2,
           int* out) {
    return box.triclinic ? neighborsOf<Real, true>(x, i, clusters, numClusters, reachSquared, box, r2, out)
                         : neighborsOf<Real, false>(x, i, clusters, numClusters, reachSquared, box, r2, out);
}

} // namespace

template <class Real> PairKernels<Real> DIFFPAIR_KERNELS() {
    return {forces<Real>, forceAdjoint<Real>, moments<Real>, search<Real>};
}
template PairKernels<float> DIFFPAIR_KERNELS<float>();
template PairKernels<double> DIFFPAIR_KERNELS<double>();

} // namespace diffpair
