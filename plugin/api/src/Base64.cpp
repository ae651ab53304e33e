#include "Base64.h"
#include <openmm/OpenMMException.h>

namespace DiffPairPlugin {

namespace {
const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string encodeBase64(const std::string& bytes) {
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        const size_t left = std::min<size_t>(3, bytes.size() - i);
        unsigned group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (size_t k = 0; k < 4; k++)
            text += k <= left ? alphabet[group >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

std::string decodeBase64(const std::string& text) {
    const size_t end = text.find_last_not_of('=') + 1;
    bool valid = text.size() % 4 == 0 && text.size() - end <= 2;
    std::string bytes;
    unsigned group = 0, bits = 0;
    for (size_t i = 0; i < end && valid; i++) {
        const size_t value = alphabet.find(text[i]);
        valid = value != std::string::npos;
        group = group << 6 | static_cast<unsigned>(value & 63);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(group >> bits & 255);
        }
    }
    if (!valid)
        throw OpenMM::OpenMMException("TorchPairForce: the module in the XML is not valid base64");
    return bytes;
}

} // namespace DiffPairPlugin
