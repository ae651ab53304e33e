#pragma once
#include <string>

namespace DiffPairPlugin {

/** Bytes to base64 (RFC 4648, padded) and back; decoding throws an OpenMMException if the text is not base64. */
std::string encodeBase64(const std::string& bytes);
std::string decodeBase64(const std::string& text);

} // namespace DiffPairPlugin
