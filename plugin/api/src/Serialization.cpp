#include "Base64.h"
#include "diffpair/Limits.h"
#include "diffpair/openmm/TorchPairForce.h"
#include "XmlReader.h"
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

namespace DiffPairPlugin {

namespace {

// OpenMM writes doubles so that reading them gives the same bits.

void writeNumbers(SerializationNode& node, const vector<double>& values) {
    for (double value : values)
        node.createChildNode("Value").setDoubleProperty("v", value);
}

vector<double> readNumbers(const XmlReader& node) {
    vector<double> values;
    for (const XmlReader& child : node.children())
        values.push_back(child.number("v"));
    return values;
}

/** What every version has; checked first, so that a constructor is not asked for types that the XML does not have. */
void requireVersionAndTypes(const XmlReader& node, const string& className, int newest) {
    const int version = node.integer("version");
    if (version < 1 || version > newest)
        throw OpenMMException(className + ": the XML has version " + std::to_string(version) +
                              " of the format, but this DiffPair reads version " + (newest == 1 ? "1" : "1 or 2"));
    const int types = node.integer("types");
    if (types < 1 || types > diffpair::maxTypes)
        throw OpenMMException(className + ": a table has 1 to " + std::to_string(diffpair::maxTypes) + " types, not " +
                              std::to_string(types));
    const size_t names = node.child("Types").children().size();
    if (names != static_cast<size_t>(types))
        throw OpenMMException(className + ": the XML has " + std::to_string(types) + " types, but the names of " +
                              std::to_string(names));
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

void readSettings(const XmlReader& node, PairForce& force) {
    force.setForceGroup(node.integer("forceGroup"));
    force.setName(node.text("name"));
    force.setNonbondedMethod(static_cast<PairForce::NonbondedMethod>(node.integer("method")));
    force.setCutoffDistance(node.number("cutoff"));
    const vector<XmlReader> types = node.child("Types").children();
    for (int type = 0; type < force.getNumTypes(); type++)
        force.setTypeName(type, types[type].text("name"));
    for (const XmlReader& child : node.child("Particles").children())
        force.addParticle(child.integer("type"));
    for (const XmlReader& child : node.child("Exclusions").children())
        force.addExclusion(child.integer("p1"), child.integer("p2"));
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
    void* deserialize(const SerializationNode& xml) const override {
        const XmlReader node("PairTableForce", xml);
        requireVersionAndTypes(node, "PairTableForce", 1);
        auto force = std::make_unique<PairTableForce>(node.integer("types"), node.number("rMin"), node.number("tableCutoff"),
                                                      node.integer("knots"));
        readSettings(node, *force);
        for (const XmlReader& pair : node.child("Pairs").children()) {
            const int type1 = pair.integer("type1"), type2 = pair.integer("type2");
            if (force->hasPairCoefficients(type1, type2))
                throw OpenMMException("PairTableForce: the XML gives coefficients of the types " + std::to_string(type1) +
                                      " and " + std::to_string(type2) + " twice");
            force->setPairCoefficients(type1, type2, readNumbers(pair));
        }
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
    void* deserialize(const SerializationNode& xml) const override {
        const XmlReader node("TorchPairForce", xml);
        requireVersionAndTypes(node, "TorchPairForce", 2);
        auto force = std::make_unique<TorchPairForce>(decodeBase64(node.child("Module").text("base64")), node.integer("types"),
                                                      node.number("rMin"), node.number("tableCutoff"), node.integer("knots"),
                                                      node.number("switchWidth"));
        readSettings(node, *force);
        for (const XmlReader& child : node.child("GlobalParameters").children())
            force->addGlobalParameter(child.text("name"), child.number("default"));
        const bool hasDerivatives = node.integer("version") > 1;
        if (hasDerivatives)
            for (const XmlReader& child : node.child("EnergyParameterDerivatives").children())
                force->addEnergyParameterDerivative(child.text("name"));
        if (node.hasChild("EmbeddedTable")) {
            const XmlReader table = node.child("EmbeddedTable");
            force->setEmbeddedTable(readNumbers(table.child("Coefficients")), readNumbers(table.child("ParameterValues")),
                                    hasDerivatives ? readNumbers(table.child("Derivatives")) : vector<double>());
        }
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
    if (!isWholeXml(xml))
        throw OpenMMException(className + ": the XML is cut short, or nested too deeply");
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

} // namespace DiffPairPlugin

/** Runs when the library is loaded; may be called again, by programs that link it statically. */
extern "C" DIFFPAIR_OPENMM_EXPORT __attribute__((constructor)) void registerDiffPairSerializationProxies() {
    static const bool done = [] {
        using OpenMM::SerializationProxy;
        SerializationProxy::registerProxy(typeid(DiffPairPlugin::PairTableForce), new DiffPairPlugin::PairTableForceProxy());
        SerializationProxy::registerProxy(typeid(DiffPairPlugin::TorchPairForce), new DiffPairPlugin::TorchPairForceProxy());
        return true;
    }();
    static_cast<void>(done);
}
