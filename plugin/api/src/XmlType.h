#pragma once
#include <string>

namespace DiffPair {

/** The class that XML of OpenMM's serializer holds: the attribute `type` of its outermost element; empty where there is none. */
std::string typeInXml(const std::string& xml);

} // namespace DiffPair
