// Histograms of random frames, against the distances of all pairs; and what is refused, whatever thread meets it.
//
//     diffpair_test_PairHistogram [NUMBER OF SYSTEMS]

#include "Check.h"
#include "diffpair/PairHistogram.h"
#include "PairKernels.h"
#include "RandomSystem.h"
#include <cstdlib>
#include <utility>

using namespace diffpair;
using namespace diffpair::test;

namespace {

constexpr int numFrames = 5;

/** Frames of a random periodic system, in boxes that differ. */
struct Frames {
    RandomSystem system;
    HistogramBins bins{0, 0, 0};
    std::vector<double> x, boxes;

    explicit Frames(uint64_t seed) : system(seed) {
        bins.high = system.box.maxCutoff() * system.uniform(0.2, 1);
        bins.low = system.integer(0, 1) ? bins.high * system.uniform(0, 0.9) : 0;
        bins.count = system.integer(1, 60);
        for (int frame = 0; frame < numFrames; frame++) {
            for (double& c : system.x)
                c += system.uniform(-0.3, 0.3) * system.cutoff();
            x.insert(x.end(), system.x.begin(), system.x.end());
            for (double v : system.box.vectors)
                boxes.push_back(v * (1 + 0.02 * frame));
        }
    }
    int pairs() const {
        return numTypePairs(system.topology.numTypes);
    }
    void count(int threads, std::vector<int64_t>& counts, std::vector<double>& shortest) const {
        counts.assign(static_cast<size_t>(numFrames) * pairs() * bins.count, -1);
        shortest.assign(static_cast<size_t>(numFrames) * pairs(), -1);
        countPairs(system.topology, bins, x.data(), boxes.data(), numFrames, threads, counts.data(), shortest.data());
    }
    const double* frame(int k) const {
        return x.data() + 3 * static_cast<size_t>(k) * system.topology.numAtoms;
    }
};

void compareFrame(const Frames& f, int frame, const int64_t* counts, const double* shortest, const std::string& where) {
    const PairTopology& topology = f.system.topology;
    const Box box = Box::fromVectors(f.boxes.data() + 9 * frame);
    std::vector<int64_t> expected(static_cast<size_t>(f.pairs()) * f.bins.count);
    std::vector<double> least(f.pairs(), INFINITY);
    int64_t unsure = 0, wrong = 0; // of distances so close to an edge that rounding decides
    for (int i = 0; i < topology.numAtoms; i++)
        for (int j = i + 1; j < topology.numAtoms; j++) {
            if (topology.exclusions.contains(i, j))
                continue;
            double d[3];
            const double r = nearest(f.frame(frame) + 3 * i, f.frame(frame) + 3 * j, box, d);
            const int pair = typePairIndex(topology.types[i], topology.types[j], topology.numTypes);
            const double place = (r - f.bins.low) / (f.bins.high - f.bins.low) * f.bins.count;
            unsure += std::abs(place - std::round(place)) < 1e-6;
            if (r < f.bins.high)
                least[pair] = std::min(least[pair], r);
            if (place >= 0 && place < f.bins.count)
                expected[pair * f.bins.count + static_cast<int>(place)]++;
        }
    for (size_t k = 0; k < expected.size(); k++)
        wrong += std::abs(counts[k] - expected[k]);
    require(wrong <= 2 * unsure, where + ": " + std::to_string(wrong) + " counts are wrong");
    for (int pair = 0; pair < f.pairs(); pair++)
        if (unsure == 0 && (std::isfinite(least[pair]) || std::isfinite(shortest[pair])))
            requireClose(shortest[pair], least[pair], 1e-9 * f.bins.high, "the shortest distance", where);
}

void testCounts(const Frames& f, const std::string& where) {
    std::vector<int64_t> counts, again;
    std::vector<double> shortest, shortestAgain;
    f.count(1, counts, shortest);
    for (int frame = 0; frame < numFrames; frame++)
        compareFrame(f, frame, counts.data() + static_cast<size_t>(frame) * f.pairs() * f.bins.count,
                     shortest.data() + static_cast<size_t>(frame) * f.pairs(), where);
    f.count(3, again, shortestAgain);
    require(again == counts && shortestAgain == shortest, where + ": threads change the counts");
}

void testRefusals(Frames f) {
    std::vector<int64_t> counts;
    std::vector<double> shortest;
    const size_t frame = 3 * static_cast<size_t>(f.system.topology.numAtoms);
    f.x[4 * frame] = NAN;
    f.x[3 * frame] = 1e10; // the first of two that are wrong is told
    for (int threads : {1, 3, 50})
        requireRefusal<std::domain_error>("Particle 0 is at 1e+10 nm", [&] { f.count(threads, counts, shortest); });
    f.boxes[9] *= 1e-4;
    requireRefusal<std::invalid_argument>("frame 1 reaches beyond half the box", [&] { f.count(3, counts, shortest); });
    f.bins.low = f.bins.high * (1 - 1e-12);
    requireRefusal<std::invalid_argument>("too narrow", [&] { f.count(3, counts, shortest); });
}

} // namespace

int main(int argc, char* argv[]) {
    return run([&] {
        pairKernels<float>(); // refuses an instruction set of another processor
        const int systems = argc > 1 ? std::atoi(argv[1]) : 100;
        bool refused = false;
        for (int seed = 0; seed < systems; seed++) {
            const Frames frames(seed);
            if (!frames.system.box.periodic)
                continue;
            testCounts(frames, "frames " + std::to_string(seed));
            if (!std::exchange(refused, true))
                testRefusals(frames);
        }
    });
}
