// Contexts of PairTableForce in threads of their own, on two threads of OpenMM each, while their tables are updated; and
// many one after another. For the sanitizers of memory and of threads, see `make sanitize`.
//
//     diffpair_contexts_test OPENMM_PLUGINS PLATFORMS...
//
// PLATFORMS: DiffPair's libraries for platforms. Prints "all right" and exits with 0 if everything holds.

#include "diffpair/openmm/PairTableForce.h"
#include <cmath>
#include <iostream>
#include <OpenMM.h>
#include <openmm/serialization/XmlSerializer.h>
#include <sstream>
#include <thread>

using namespace DiffPairPlugin;
using namespace OpenMM;

namespace {

constexpr int numParticles = 300;
constexpr double edge = 2.6; // nm

void require(bool holds, const std::string& what) {
    if (!holds)
        throw std::runtime_error(what);
}

std::vector<double> row(double factor) {
    std::vector<double> coefficients;
    for (int k = 0; k < 11; k++)
        coefficients.push_back(factor * 8 * std::exp(-0.5 * k));
    coefficients.insert(coefficients.end(), 3, 0.0);
    return coefficients;
}

PairTableForce* makeForce() {
    PairTableForce* force = new PairTableForce(1, 0.25, 0.9, 12);
    force->setPairCoefficients(0, 0, row(1));
    for (int i = 0; i < numParticles; i++)
        force->addParticle(0);
    force->addExclusion(0, 1);
    force->setNonbondedMethod(PairForce::CutoffPeriodic);
    return force;
}

/** Some places in the box, the same each time. */
std::vector<Vec3> positions() {
    std::vector<Vec3> found;
    unsigned state = 7;
    const auto next = [&] {
        state = state * 1664525u + 1013904223u;
        return edge * (state / 4294967296.0);
    };
    for (int i = 0; i < numParticles; i++) {
        const double x = next(), y = next(), z = next();
        found.emplace_back(x, y, z);
    }
    return found;
}

/** Energies after some steps with each of several tables. */
std::vector<double> run(const std::string& platform) {
    System system;
    for (int i = 0; i < numParticles; i++)
        system.addParticle(10.0);
    system.setDefaultPeriodicBoxVectors(Vec3(edge, 0, 0), Vec3(0, edge, 0), Vec3(0, 0, edge));
    PairTableForce* force = makeForce();
    system.addForce(force);
    VerletIntegrator integrator(0.001);
    std::map<std::string, std::string> properties;
    if (platform == "CPU")
        properties["Threads"] = "2";
    Context context(system, integrator, Platform::getPlatformByName(platform), properties);
    context.setPositions(positions());
    std::vector<double> energies;
    for (double factor : {1.0, 2.0, 0.5, 1.0}) {
        force->setPairCoefficients(0, 0, row(factor));
        force->updateParametersInContext(context);
        integrator.step(10);
        energies.push_back(context.getState(State::Energy | State::Forces).getPotentialEnergy());
    }
    return energies;
}

void requireSame(const std::vector<double>& found, const std::vector<double>& expected) {
    // OpenMM's CPU platform adds forces in the order in which its threads end.
    for (size_t i = 0; i < expected.size(); i++)
        require(std::abs(found[i] - expected[i]) <= 1e-4 * std::abs(expected[i]), "a Context in a thread gives another energy");
}

void testThreads(const std::string& platform) {
    const std::vector<double> alone = run(platform);
    std::vector<std::vector<double>> together(3);
    std::vector<std::thread> threads;
    for (std::vector<double>& result : together)
        threads.emplace_back([&result, &platform] { result = run(platform); });
    for (std::thread& thread : threads)
        thread.join();
    for (const std::vector<double>& result : together)
        requireSame(result, alone);
    for (int again = 0; again < 20; again++)
        requireSame(run(platform), alone);
}

void testXml() {
    std::unique_ptr<PairTableForce> force(makeForce());
    std::stringstream stream;
    XmlSerializer::serialize<Force>(force.get(), "Force", stream);
    const std::string xml = stream.str();
    for (size_t length = 0; length < xml.size(); length += 7) // cut short, and a sign changed
        for (const std::string& text : {xml.substr(0, length), xml.substr(0, length) + "9" + xml.substr(length + 1)})
            try {
                std::istringstream again(text);
                delete PairTableForce::fromXml(again);
            } catch (const std::exception&) {
            }
}

} // namespace

int main(int argc, char** argv) {
    try {
        require(argc > 2, "arguments: OPENMM_PLUGINS PLATFORMS...");
        Platform::loadPluginsFromDirectory(argv[1]);
        for (int i = 2; i < argc; i++)
            Platform::loadPluginLibrary(argv[i]);
        testThreads("Reference");
        testThreads("CPU");
        testXml();
    } catch (const std::exception& problem) {
        std::cerr << problem.what() << std::endl;
        return 1;
    }
    std::cout << "all right" << std::endl;
    return 0;
}
