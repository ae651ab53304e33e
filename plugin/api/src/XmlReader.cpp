#include "XmlReader.h"
#include <algorithm>
#include <charconv>
#include <openmm/OpenMMException.h>

using std::string;

namespace DiffPairPlugin {

namespace {

string shortened(const string& text) {
    return text.size() <= 40 ? text : text.substr(0, 40) + "...";
}

/** Whether text is a decimal number, or one of the words that OpenMM writes where there is none. */
bool isNumber(const string& text) {
    const string digits = "0123456789";
    size_t at = text.find_first_not_of("+-") == 1 ? 1 : 0;
    if (text.compare(at, string::npos, "nan") == 0 || text.compare(at, string::npos, "inf") == 0)
        return true;
    const size_t mantissa = std::min(text.find_first_of("eE", at), text.size());
    const string before = text.substr(at, mantissa - at);
    if (before.find_first_of(digits) == string::npos || before.find_first_not_of(digits + ".") != string::npos ||
        before.find('.') != before.rfind('.'))
        return false;
    if (mantissa == text.size())
        return true;
    at = mantissa + 1;
    at += at < text.size() && (text[at] == '+' || text[at] == '-');
    return at < text.size() && text.find_first_not_of(digits, at) == string::npos;
}

} // namespace

void XmlReader::fail(const string& problem) const {
    throw OpenMM::OpenMMException(string(className) + ": the XML " + problem);
}

string XmlReader::text(const char* attribute) const {
    if (!node.hasProperty(attribute))
        fail("has no attribute '" + string(attribute) + "' in " + (node.getName().empty() ? "the force" : node.getName()));
    return node.getStringProperty(attribute);
}

int XmlReader::integer(const char* attribute) const {
    const string given = text(attribute);
    int value = 0;
    const auto [end, problem] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (problem != std::errc() || end != given.data() + given.size())
        fail("has " + string(attribute) + " = '" + shortened(given) + "', which is no whole number of 32 bits");
    return value;
}

double XmlReader::number(const char* attribute) const {
    const string given = text(attribute);
    if (!isNumber(given))
        fail("has " + string(attribute) + " = '" + shortened(given) + "', which is no number");
    return node.getDoubleProperty(attribute);
}

const OpenMM::SerializationNode* XmlReader::find(const char* name) const {
    for (const OpenMM::SerializationNode& each : node.getChildren())
        if (each.getName() == name)
            return &each;
    return nullptr;
}

bool XmlReader::hasChild(const char* name) const {
    return find(name) != nullptr;
}

XmlReader XmlReader::child(const char* name) const {
    const OpenMM::SerializationNode* found = find(name);
    if (!found)
        fail("has no element '" + string(name) + "'");
    return {className, *found};
}

std::vector<XmlReader> XmlReader::children() const {
    std::vector<XmlReader> found;
    for (const OpenMM::SerializationNode& each : node.getChildren())
        found.emplace_back(className, each);
    return found;
}

} // namespace DiffPairPlugin
