#pragma once
#include <string>

namespace DiffPairPlugin {

/** The class that XML of OpenMM's serializer holds: the attribute `type` of its outermost element; empty where there is none. */
std::string typeInXml(const std::string& xml);

/**
 * Whether all elements are closed, not more than a hundred in each other. OpenMM's reader reads beyond the end of XML that is cut
 * short within an element, and its stack overflows on deep XML.
 */
bool isWholeXml(const std::string& xml);

} // namespace DiffPairPlugin
