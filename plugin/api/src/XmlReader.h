#pragma once
#include <openmm/serialization/SerializationNode.h>
#include <string>
#include <vector>

namespace DiffPairPlugin {

/**
 * A node of a force's XML, read strictly: OpenMM's own getters take the digits that an attribute begins with and 0 where
 * there are none, which would be another force without a word. Everything throws an OpenMMException that names the force, the
 * node and the attribute.
 */
class XmlReader {
public:
    XmlReader(const char* className, const OpenMM::SerializationNode& node) : className(className), node(node) {
    }
    int integer(const char* attribute) const;
    /** May be NaN or infinite: whoever takes it checks. */
    double number(const char* attribute) const;
    std::string text(const char* attribute) const;
    bool hasChild(const char* name) const;
    XmlReader child(const char* name) const;
    std::vector<XmlReader> children() const;

private:
    [[noreturn]] void fail(const std::string& problem) const;
    const OpenMM::SerializationNode* find(const char* name) const;
    const char* className;
    const OpenMM::SerializationNode& node;
};

} // namespace DiffPairPlugin
