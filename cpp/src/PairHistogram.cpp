#include "diffpair/PairHistogram.h"
#include "ClusterGrid.h"
#include "diffpair/NeighborList.h"
#include "MinimumImage.h"
#include "PairKernels.h"
#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace diffpair {

namespace {

/** Of a box: more than differences of positions in single precision are wrong by. */
constexpr double rounding = 1e-6;

/** Of bins counted from r = 0, which the counts of a pair of types hold. */
constexpr double largestNumber = 1e8;

/** One frame at a time; keeps its scratch memory from frame to frame. */
class FrameCounter {
public:
    FrameCounter(const PairTopology& topology, const HistogramBins& bins)
        : topology(topology), bins(bins), perWidth(bins.count / (bins.high - bins.low)),
          before(static_cast<int>(std::ceil(bins.low * perWidth))), stride(before + bins.count + 1),
          pairs(numTypePairs(topology.numTypes)), pairOf(topology.numTypes * topology.numTypes) {
        for (int a = 0; a < topology.numTypes; a++)
            for (int b = 0; b < topology.numTypes; b++)
                pairOf[a * topology.numTypes + b] = typePairIndex(a, b, topology.numTypes);
    }

    void count(const double* x, const Box& box, int64_t* counts, double* shortest) {
        tally.assign(static_cast<size_t>(pairs) * stride, 0);
        least.assign(pairs, std::numeric_limits<double>::infinity());
        SerialExecutor serial;
        const ClusterGrid grid(x, topology.numAtoms, box, serial);
        load(x, grid);
        ClusterSweep sweep(grid, bins.high);
        const LoopBox<double> loopBox(box);
        for (int cluster = 0; cluster < static_cast<int>(grid.order.size()) / clusterSize; cluster++) {
            sweep.moveTo(cluster);
            const bool inside = !grid.reachesOut(cluster, bins.high);
            search(sweep, cluster, box, !inside);
            for (int l = 0; l < clusterSize; l++) {
                const int slot = clusterSize * cluster + l;
                if (grid.order[slot] < 0)
                    continue;
                choose(grid.order, slot, l);
                if (inside)
                    measure<Images::None>(slot, loopBox);
                else if (!box.isTriclinic())
                    measure<Images::Rectangular>(slot, loopBox);
                else
                    measure<Images::Triclinic>(slot, loopBox);
                add(slot);
            }
        }
        for (int pair = 0; pair < pairs; pair++) {
            int64_t* own = tally.data() + static_cast<size_t>(pair) * stride + before;
            own[bins.count - 1] += own[bins.count]; // just below the end, where rounding made it one bin too high
            std::copy_n(own, bins.count, counts + static_cast<size_t>(pair) * bins.count);
            shortest[pair] = std::sqrt(least[pair]);
        }
    }

private:
    /** Positions in the box and types, in the order of slots. An empty slot is at no distance below any other. */
    void load(const double* x, const ClusterGrid& grid) {
        const size_t numSlots = grid.order.size();
        wrapped.resize(4 * numSlots);
        rough.assign(4 * numSlots, std::numeric_limits<float>::quiet_NaN());
        types.assign(numSlots, 0);
        for (size_t slot = 0; slot < numSlots; slot++) {
            const int atom = grid.order[slot];
            if (atom < 0)
                continue;
            types[slot] = topology.types[atom];
            for (int d = 0; d < 3; d++) {
                wrapped[4 * slot + d] = x[3 * static_cast<size_t>(atom) + d] - grid.offsets[3 * slot + d];
                rough[4 * slot + d] = static_cast<float>(wrapped[4 * slot + d]);
            }
        }
    }

    /** The neighbour list's search, in single precision and so a little too far: what it finds is measured again. */
    void search(ClusterSweep& sweep, int cluster, const Box& box, bool needsImages) {
        const int number = sweep.candidates(), capacity = number + widestPack;
        const double largest = std::max({box.vectors[0], box.vectors[4], box.vectors[8]});
        const double reach = bins.high + rounding * largest;
        for (int l = 0; l < clusterSize; l++) {
            if (found[l].size() < static_cast<size_t>(capacity))
                found[l].resize(capacity);
            rows[l] = found[l].data();
        }
        for (std::vector<int>* each : {&near, &bin})
            each->resize(number);
        squares.resize(number);
        pairKernels<float>().search(
            {rough.data(), cluster, sweep.offsets(), number, static_cast<float>(reach * reach), LoopBox<float>(box), needsImages},
            rows, sizes);
    }

    /** Of what was found near an atom: the later atoms of its own cluster, which come first, and those not excluded. */
    void choose(const std::vector<int>& order, int slot, int within) {
        const int *begin = rows[within], *end = begin + sizes[within];
        while (begin < end && *begin <= offsetOfSlot(slot) && slotAtOffset(*begin) >= slot - within)
            begin++;
        const Exclusions& exclusions = topology.exclusions;
        const int atom = order[slot];
        const bool excludes = !exclusions.empty() && exclusions.start[atom] < exclusions.start[atom + 1];
        kept = 0;
        for (; begin < end; begin++)
            if (const int other = slotAtOffset(*begin); !excludes || !exclusions.contains(atom, order[other]))
                near[kept++] = other;
    }

    /** Squared distances, packed; without branches, which no processor could foresee. */
    template <Images images> void measure(int slot, const LoopBox<double>& loopBox) {
        const LoopBox<double> box = loopBox;
        const double *x = wrapped.data(), *own = x + 4 * static_cast<size_t>(slot), limit = bins.high * bins.high;
        double* square = squares.data();
        int *partner = near.data(), size = 0; // not members: a store could then change them
        for (int n = 0; n < kept; n++) {
            const double* other = x + 4 * static_cast<size_t>(partner[n]);
            double dx = own[0] - other[0], dy = own[1] - other[1], dz = own[2] - other[2];
            box.apply<images>(dx, dy, dz);
            square[size] = dx * dx + dy * dy + dz * dz;
            partner[size] = partner[n];
            size += square[size] < limit;
        }
        kept = size;
    }

    void add(int slot) {
        const double scale = perWidth, shift = before - bins.low * perWidth, *square = squares.data();
        const int *partner = near.data(), *typeOf = types.data(), size = kept;
        int* place = bin.data();
        for (int n = 0; n < size; n++)
            place[n] = static_cast<int>(std::sqrt(square[n]) * scale + shift);
        int64_t* to = tally.data();
        if (topology.numTypes == 1) {
            double nearest = least[0];
            for (int n = 0; n < size; n++) {
                nearest = std::min(nearest, square[n]);
                to[place[n]]++;
            }
            least[0] = nearest;
            return;
        }
        const int* pair = pairOf.data() + typeOf[slot] * topology.numTypes;
        double* nearest = least.data();
        for (int n = 0; n < size; n++) {
            const int k = pair[typeOf[partner[n]]];
            if (square[n] < nearest[k])
                nearest[k] = square[n];
            to[static_cast<size_t>(k) * stride + place[n]]++;
        }
    }

    const PairTopology& topology;
    const HistogramBins bins;
    const double perWidth;
    const int before, stride, pairs;     // bins below bins.low, and of a pair of types with these and one behind the last
    std::vector<int> pairOf;             // [numTypes][numTypes]
    std::vector<int64_t> tally;          // [pairs][stride]
    std::vector<double> least;           // [pairs] squared distance
    std::vector<double> wrapped;         // [slots][4], the fourth unused: a place in one cache line
    std::vector<float> rough;            // [slots][4]
    std::vector<int> types;              // [slots]
    std::vector<int> found[clusterSize]; // offsets near each atom of a cluster
    int *rows[clusterSize], sizes[clusterSize];
    int kept = 0; // of them, for the present atom: slots, bins and squared distances
    std::vector<int> near, bin;
    std::vector<double> squares;
};

} // namespace

void countPairs(const PairTopology& topology, const HistogramBins& bins, const double* x, const double* boxes, int numFrames,
                int threads, int64_t* counts, double* shortest) {
    topology.validate();
    if (bins.count < 1 || !(bins.low >= 0 && bins.high > bins.low))
        throw std::invalid_argument("A histogram needs a rising range of distances and at least one bin.");
    if (!(bins.high / (bins.high - bins.low) * bins.count < largestNumber))
        throw std::invalid_argument("The bins of a histogram are too narrow for where they are.");
    const size_t pairs = numTypePairs(topology.numTypes);
    const auto countFrame = [&](FrameCounter& counter, size_t frame) {
        const Box box = Box::fromVectors(boxes + 9 * frame);
        if (bins.high > box.maxCutoff() * (1 + 1e-6))
            throw std::invalid_argument("The histogram of frame " + std::to_string(frame) + " reaches beyond half the box.");
        counter.count(x + 3 * frame * topology.numAtoms, box, counts + frame * pairs * bins.count, shortest + frame * pairs);
    };
    std::atomic<int> next{0};
    std::vector<std::exception_ptr> failures(numFrames);
    const auto work = [&] {
        std::optional<FrameCounter> counter;
        for (int frame = next++; frame < numFrames; frame = next++)
            try {
                if (!counter)
                    counter.emplace(topology, bins);
                countFrame(*counter, frame);
            } catch (...) { // must not leave the thread
                failures[frame] = std::current_exception();
            }
    };
    {
        std::vector<std::jthread> others; // joined at the block's end, also if no more of them can be started
        for (int k = 1; k < std::min(threads, numFrames); k++)
            others.emplace_back(work);
        work();
    }
    for (const std::exception_ptr& failure : failures) // that of the first frame, whoever came first
        if (failure)
            std::rethrow_exception(failure);
}

} // namespace diffpair
