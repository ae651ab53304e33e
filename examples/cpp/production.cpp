// Production with a learned potential from C++, without Python and without torch. build.sh compiles and runs this:
//
//     production POTENTIAL.xml OPENMM_PLUGINS DIFFPAIR_PLUGINS [STEPS]
//
// POTENTIAL.xml comes from: diffpair export potential.json --format openmm --out potential.xml
#include <cmath>
#include <cstdlib>
#include <diffpair/openmm/PairTableForce.h>
#include <fstream>
#include <iostream>
#include <memory>
#include <OpenMM.h>

using namespace OpenMM;

static void run(const char* potential, const char* openmmPlugins, const char* diffpairPlugins, int steps) {
    // The platforms first, then the kernels for them.
    Platform::loadPluginsFromDirectory(openmmPlugins);
    for (const char* name : {"reference", "cpu"})
        Platform::loadPluginLibrary(std::string(diffpairPlugins) + "/libdiffpair_openmm_" + name + ".so");

    std::ifstream file(potential);
    if (!file)
        throw OpenMMException(std::string(potential) + " cannot be read");
    // Refuses XML of another class, which XmlSerializer::deserialize would take for this one.
    std::unique_ptr<DiffPairPlugin::PairTableForce> force(DiffPairPlugin::PairTableForce::fromXml(file));
    force->setNonbondedMethod(DiffPairPlugin::PairTableForce::CutoffPeriodic);

    const int perSide = 8;
    const double edge = perSide / std::cbrt(0.845), temperature = 120.27;
    System system; // takes over the forces that are added
    system.setDefaultPeriodicBoxVectors(Vec3(edge, 0, 0), Vec3(0, edge, 0), Vec3(0, 0, edge));
    std::vector<Vec3> positions;
    for (int i = 0; i < perSide * perSide * perSide; i++) {
        positions.push_back(Vec3(i % perSide, i / perSide % perSide, i / (perSide * perSide)) * (edge / perSide));
        system.addParticle(1.0);
        force->addParticle(force->findType("A"));
    }
    system.addForce(force.release());

    LangevinMiddleIntegrator integrator(temperature, 1.0, 0.005);
    Context context(system, integrator, Platform::getPlatform("CPU"));
    context.setPositions(positions);
    context.setVelocitiesToTemperature(temperature);
    integrator.step(steps);
    double energy = context.getState(State::Energy).getPotentialEnergy();
    std::cout << "step " << context.getStepCount() << ": " << energy / positions.size() << " kJ/mol per particle" << std::endl;
}

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "usage: " << argv[0] << " POTENTIAL.xml OPENMM_PLUGINS DIFFPAIR_PLUGINS [STEPS]" << std::endl;
        return 2;
    }
    try {
        run(argv[1], argv[2], argv[3], argc > 4 ? std::atoi(argv[4]) : 1000);
    } catch (const std::exception& problem) {
        std::cerr << problem.what() << std::endl;
        return 1;
    }
}
