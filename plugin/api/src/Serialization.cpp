#include "Base64.h"
#include "diffpair/openmm/TorchPairForce.h"
#include "XmlType.h"
#include <openmm/OpenMMException.h>
#include <openmm/serialization/SerializationNode.h>
#include <openmm/serialization/SerializationProxy.h>
#include <openmm/serialization/XmlSerializer.h>
#include <sstream>

using OpenMM::OpenMMException;
using OpenMM::SerializationNode;
using std::string;
using std::vector;

namespace DiffPair {

namespace {

// OpenMM writes doubles so that reading them gives the same bits.

void writeNumbers(SerializationNode& node, const vector<double>& values) {
    for (double value : values)
        node.createChildNode("Value").setDoubleProperty("v", value);
}

vector<double> readNumbers(const SerializationNode& node) {
    vector<double> values;
    for (const SerializationNode& child : node.getChildren())
        values.push_back(child.getDoubleProperty("v"));
    return values;
}

void requireVersion(const SerializationNode& node, const string& className, int newest) {
    const int version = node.getIntProperty("version");
    if (version < 1 || version > newest)
        throw OpenMMException(className + ": the XML has version " + std::to_string(version) +
                              " of the format, but this DiffPair reads version " + (newest == 1 ? "1" : "1 or 2"));
}

/** The arguments of the constructors. */
void writeGrid(SerializationNode& node, const PairForce& force, int version = 1) {
    node.setIntProperty("version", version);
    node.setIntProperty("types", force.getNumTypes());
    node.setDoubleProperty("rMin", force.getRMin());
    node.setDoubleProperty("tableCutoff", force.getTableCutoff());
    node.setIntProperty("knots", force.getNumKnots());
}

void writeSettings(SerializationNode& node, const PairForce& force) {
    node.setIntProperty("forceGroup", force.getForceGroup());
    node.setStringProperty("name", force.getName());
    node.setIntProperty("method", force.getNonbondedMethod());
    node.setDoubleProperty("cutoff", force.getCutoffDistance());
    SerializationNode& types = node.createChildNode("Types");
    for (int i = 0; i < force.getNumTypes(); i++)
        types.createChildNode("Type").setStringProperty("name", force.getTypeName(i));
    SerializationNode& particles = node.createChildNode("Particles");
    for (int i = 0; i < force.getNumParticles(); i++)
        particles.createChildNode("Particle").setIntProperty("type", force.getParticleType(i));
    SerializationNode& exclusions = node.createChildNode("Exclusions");
    for (int i = 0; i < force.getNumExclusions(); i++) {
        int particle1, particle2;
        force.getExclusionParticles(i, particle1, particle2);
        exclusions.createChildNode("Exclusion").setIntProperty("p1", particle1).setIntProperty("p2", particle2);
    }
}

void readSettings(const SerializationNode& node, PairForce& force) {
    force.setForceGroup(node.getIntProperty("forceGroup"));
    force.setName(node.getStringProperty("name"));
    force.setNonbondedMethod(static_cast<PairForce::NonbondedMethod>(node.getIntProperty("method")));
    force.setCutoffDistance(node.getDoubleProperty("cutoff"));
    const vector<SerializationNode>& types = node.getChildNode("Types").getChildren();
    if (static_cast<int>(types.size()) != force.getNumTypes())
        throw OpenMMException(node.getStringProperty("type") + ": the XML has " + std::to_string(force.getNumTypes()) +
                              " types, but the names of " + std::to_string(types.size()));
    for (int type = 0; type < force.getNumTypes(); type++)
        force.setTypeName(type, types[type].getStringProperty("name"));
    for (const SerializationNode& child : node.getChildNode("Particles").getChildren())
        force.addParticle(child.getIntProperty("type"));
    for (const SerializationNode& child : node.getChildNode("Exclusions").getChildren())
        force.addExclusion(child.getIntProperty("p1"), child.getIntProperty("p2"));
}

class PairTableForceProxy : public OpenMM::SerializationProxy {
public:
    PairTableForceProxy() : SerializationProxy("PairTableForce") {
    }
    void serialize(const void* object, SerializationNode& node) const override {
        const PairTableForce& force = *static_cast<const PairTableForce*>(object);
        writeGrid(node, force);
        writeSettings(node, force);
        SerializationNode& pairs = node.createChildNode("Pairs");
        for (int a = 0; a < force.getNumTypes(); a++)
            for (int b = a; b < force.getNumTypes(); b++)
                if (force.hasPairCoefficients(a, b))
                    writeNumbers(pairs.createChildNode("Pair").setIntProperty("type1", a).setIntProperty("type2", b),
                                 force.getPairCoefficients(a, b));
    }
    void* deserialize(const SerializationNode& node) const override {
        requireVersion(node, "PairTableForce", 1);
        auto force = std::make_unique<PairTableForce>(node.getIntProperty("types"), node.getDoubleProperty("rMin"),
                                                      node.getDoubleProperty("tableCutoff"), node.getIntProperty("knots"));
        readSettings(node, *force);
        for (const SerializationNode& pair : node.getChildNode("Pairs").getChildren())
            force->setPairCoefficients(pair.getIntProperty("type1"), pair.getIntProperty("type2"), readNumbers(pair));
        return force.release();
    }
};

class TorchPairForceProxy : public OpenMM::SerializationProxy {
public:
    TorchPairForceProxy() : SerializationProxy("TorchPairForce") {
    }
    void serialize(const void* object, SerializationNode& node) const override {
        const TorchPairForce& force = *static_cast<const TorchPairForce*>(object);
        // A reader of version 1 would leave the derivatives out without a word, so it must not read this.
        writeGrid(node, force, force.getNumEnergyParameterDerivatives() == 0 ? 1 : 2);
        writeSettings(node, force);
        node.setDoubleProperty("switchWidth", force.getSwitchWidth());
        node.createChildNode("Module").setStringProperty("base64", encodeBase64(force.getModule()));
        SerializationNode& parameters = node.createChildNode("GlobalParameters");
        for (int i = 0; i < force.getNumGlobalParameters(); i++)
            parameters.createChildNode("Parameter")
                .setStringProperty("name", force.getGlobalParameterName(i))
                .setDoubleProperty("default", force.getGlobalParameterDefaultValue(i));
        if (force.getNumEnergyParameterDerivatives() > 0) {
            SerializationNode& derivatives = node.createChildNode("EnergyParameterDerivatives");
            for (int i = 0; i < force.getNumEnergyParameterDerivatives(); i++)
                derivatives.createChildNode("Parameter").setStringProperty("name", force.getEnergyParameterDerivativeName(i));
        }
        if (force.hasEmbeddedTable()) {
            SerializationNode& table = node.createChildNode("EmbeddedTable");
            writeNumbers(table.createChildNode("ParameterValues"), force.getEmbeddedParameterValues());
            writeNumbers(table.createChildNode("Coefficients"), force.getEmbeddedTable());
            if (force.getNumEnergyParameterDerivatives() > 0)
                writeNumbers(table.createChildNode("Derivatives"), force.getEmbeddedDerivatives());
        }
    }
    void* deserialize(const SerializationNode& node) const override {
        requireVersion(node, "TorchPairForce", 2);
        auto force = std::make_unique<TorchPairForce>(decodeBase64(node.getChildNode("Module").getStringProperty("base64")),
                                                      node.getIntProperty("types"), node.getDoubleProperty("rMin"),
                                                      node.getDoubleProperty("tableCutoff"), node.getIntProperty("knots"),
                                                      node.getDoubleProperty("switchWidth"));
        readSettings(node, *force);
        for (const SerializationNode& child : node.getChildNode("GlobalParameters").getChildren())
            force->addGlobalParameter(child.getStringProperty("name"), child.getDoubleProperty("default"));
        const bool hasDerivatives = node.getIntProperty("version") > 1;
        if (hasDerivatives)
            for (const SerializationNode& child : node.getChildNode("EnergyParameterDerivatives").getChildren())
                force->addEnergyParameterDerivative(child.getStringProperty("name"));
        for (const SerializationNode& child : node.getChildren())
            if (child.getName() == "EmbeddedTable")
                force->setEmbeddedTable(readNumbers(child.getChildNode("Coefficients")),
                                        readNumbers(child.getChildNode("ParameterValues")),
                                        hasDerivatives ? readNumbers(child.getChildNode("Derivatives")) : vector<double>());
        return force.release();
    }
};

/** Reads a class from XML, but not what only claims to be it: XmlSerializer::deserialize casts whatever it finds. */
template <class Force> Force* readXml(std::istream& stream, const string& className) {
    const string xml{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    const string type = typeInXml(xml);
    if (type != className)
        throw OpenMMException(className + ": the XML holds " + (type.empty() ? "no object of OpenMM" : "the class " + type) +
                              ", not a " + className);
    std::istringstream again(xml);
    return OpenMM::XmlSerializer::deserialize<Force>(again);
}

} // namespace

PairTableForce* PairTableForce::fromXml(std::istream& stream) {
    return readXml<PairTableForce>(stream, "PairTableForce");
}

TorchPairForce* TorchPairForce::fromXml(std::istream& stream) {
    return readXml<TorchPairForce>(stream, "TorchPairForce");
}

} // namespace DiffPair

/** Runs when the library is loaded; may be called again, by programs that link it statically. */
extern "C" DIFFPAIR_OPENMM_EXPORT __attribute__((constructor)) void registerDiffPairSerializationProxies() {
    static const bool done = [] {
        using OpenMM::SerializationProxy;
        SerializationProxy::registerProxy(typeid(DiffPair::PairTableForce), new DiffPair::PairTableForceProxy());
        SerializationProxy::registerProxy(typeid(DiffPair::TorchPairForce), new DiffPair::TorchPairForceProxy());
        return true;
    }();
    static_cast<void>(done);
}
