// Uses PairTableForce and TorchPairForce as a C++ program without Python does.
//
//     diffpair_plugin_test OPENMM_PLUGINS DIFFPAIR_PLUGINS MODULE.pt
//
// MODULE.pt: U(r) = a (0.3 / r)^6 + b for the parameters a and b. Prints "all right" and exits with 0 if everything holds.

#include "diffpair/openmm/TorchPairForce.h"
#include <cmath>
#include <iostream>
#include <OpenMM.h>
#include <openmm/serialization/XmlSerializer.h>
#include <sstream>

using namespace DiffPairPlugin;
using namespace OpenMM;

namespace {

void require(bool holds, const std::string& what) {
    if (!holds)
        throw std::runtime_error(what);
}

void requireClose(double found, double expected, double relative, const std::string& what) {
    std::ostringstream message;
    message << what << ": found " << found << ", expected " << expected;
    require(std::abs(found - expected) <= relative * std::abs(expected), message.str());
}

template <class Action> void requireRefusal(const Action& action, const std::string& words) {
    try {
        action();
    } catch (const OpenMMException& problem) {
        require(std::string(problem.what()).find(words) != std::string::npos,
                "the message '" + std::string(problem.what()) + "' lacks '" + words + "'");
        return;
    }
    throw std::runtime_error("not refused: " + words);
}

const std::vector<Vec3> positions = {Vec3(0, 0, 0), Vec3(0.4, 0, 0), Vec3(0, 0.45, 0)};

/** A System of three particles with one force, which it owns. */
System threeParticles(Force* force) {
    System system;
    for (size_t i = 0; i < positions.size(); i++)
        system.addParticle(10.0);
    system.addForce(force);
    return system;
}

double energyOf(Context& context) {
    return context.getState(State::Energy).getPotentialEnergy();
}

PairTableForce* makeTableForce() {
    PairTableForce* force = new PairTableForce(1, 0.25, 0.9, 8);
    force->setPairCoefficients(0, 0, {9, 7, 4, 2, 1, 0.5, 0.2, 0, 0, 0});
    for (size_t i = 0; i < positions.size(); i++)
        force->addParticle(0);
    return force;
}

void testTableForce(Platform& platform) {
    PairTableForce* force = makeTableForce();
    System system = threeParticles(force);
    VerletIntegrator integrator(0.001);
    Context context(system, integrator, platform);
    context.setPositions(positions);
    const double third = std::sqrt(0.4 * 0.4 + 0.45 * 0.45);
    const auto expected = [&] {
        return force->getPairEnergy(0, 0, 0.4) + force->getPairEnergy(0, 0, 0.45) + force->getPairEnergy(0, 0, third);
    };
    requireClose(energyOf(context), expected(), 1e-6, "energy of the table");
    const double fx = context.getState(State::Forces).getForces()[0][0];
    requireClose(fx, -force->getPairForce(0, 0, 0.4), 1e-5, "force of the table");
    force->setPairCoefficients(0, 0, {3, 2, 1, 1, 1, 0.5, 0.2, 0, 0, 0});
    force->updateParametersInContext(context);
    requireClose(energyOf(context), expected(), 1e-6, "energy after the update");

    std::stringstream xml;
    XmlSerializer::serialize<System>(&system, "System", xml);
    std::unique_ptr<System> restored(XmlSerializer::deserialize<System>(xml));
    const auto& copy = dynamic_cast<const PairTableForce&>(restored->getForce(0));
    require(copy.getPairCoefficients(0, 0) == force->getPairCoefficients(0, 0), "the XML has other coefficients");
    requireRefusal([&] { force->addParticle(3); }, "particle 3 is given type 3");

    // What claims to be something else is not taken for this class; comments and quotes do not mislead.
    const auto read = [](const std::string& text) {
        std::istringstream stream(text);
        return std::unique_ptr<PairTableForce>(PairTableForce::fromXml(stream));
    };
    std::ostringstream own, custom;
    XmlSerializer::serialize<Force>(force, "Force", own);
    const CustomNonbondedForce other("1/r");
    XmlSerializer::serialize<Force>(&other, "Force", custom);
    require(read("<!-- <Force type=\"no\"> -->" + own.str())->getPairCoefficients(0, 0) == force->getPairCoefficients(0, 0),
            "the force read from XML has other coefficients");
    requireRefusal([&] { read(custom.str()); }, "the XML holds the class CustomNonbondedForce, not a PairTableForce");
    requireRefusal([&] { read("<Force note='a > type=\"PairTableForce\"' type='Other'/>"); }, "the XML holds the class Other");
    for (const char* nothing : {"", "<", "<Force", "<Force type", "<Force type=", "<Force type='x", "<!-- <Force", "text"})
        requireRefusal([&] { read(nothing); }, "the XML holds no object of OpenMM");
}

void testTorchForce(Platform& platform, const std::string& path) {
    TorchPairForce* force = new TorchPairForce(TorchPairForce::readModule(path), 1, 0.2, 0.9, 200);
    force->addGlobalParameter("a", 1.0);
    force->addGlobalParameter("b", 0.0);
    for (size_t i = 0; i < positions.size(); i++)
        force->addParticle(0);
    force->addExclusion(1, 2);
    System system = threeParticles(force);
    VerletIntegrator integrator(0.001);
    Context context(system, integrator, platform);
    context.setPositions(positions);
    const auto expected = [](double a, double b) { return a * (std::pow(0.3 / 0.4, 6) + std::pow(0.3 / 0.45, 6)) + 2 * b; };
    requireClose(energyOf(context), expected(1, 0), 1e-5, "energy of the module");
    context.setParameter("b", 0.25);
    requireClose(energyOf(context), expected(1, 0.25), 1e-5, "energy after setParameter");
    const double error = force->getTabulationError(context, 3.0);
    require(error > 0 && error < 1e-2, "the tabulation error is " + std::to_string(error));
    const std::unique_ptr<PairTableForce> table(force->createPairTableForce({2.0, 1.0}));
    requireClose(table->getPairEnergy(0, 0, 0.4), 2 * std::pow(0.3 / 0.4, 6) + 1, 1e-5, "table of the module");
    requireRefusal(
        [&] {
            force->setModule("nonsense");
            force->updateParametersInContext(context);
        },
        "not a TorchScript module");
    requireClose(energyOf(context), expected(1, 0.25), 1e-5, "energy after an update that was refused");
}

} // namespace

int main(int argc, char* argv[]) {
    try {
        require(argc == 4, "three arguments are needed");
        Platform::loadPluginLibrary(std::string(argv[1]) + "/libOpenMMCPU.so");
        for (const char* name : {"reference", "cpu"})
            Platform::loadPluginLibrary(std::string(argv[2]) + "/libdiffpair_openmm_" + name + ".so");
        for (const char* name : {"Reference", "CPU"}) {
            Platform& platform = Platform::getPlatformByName(name);
            testTableForce(platform);
            testTorchForce(platform, argv[3]);
        }
    } catch (const std::exception& problem) {
        std::cerr << "failed: " << problem.what() << std::endl;
        return 1;
    }
    std::cout << "all right" << std::endl;
    return 0;
}
