#include "XmlType.h"

using std::string;

namespace DiffPair {

namespace {

/** Where the outermost element begins, after declaration, comments and document type. */
size_t outermostElement(const string& xml) {
    size_t at = xml.find('<');
    while (at != string::npos && at + 1 < xml.size() && (xml[at + 1] == '?' || xml[at + 1] == '!')) {
        const char* end = xml[at + 1] == '?' ? "?>" : xml.compare(at, 4, "<!--") == 0 ? "-->" : ">";
        at = xml.find(end, at);
        if (at != string::npos)
            at = xml.find('<', at);
    }
    return at;
}

} // namespace

string typeInXml(const string& xml) {
    size_t at = outermostElement(xml);
    if (at == string::npos)
        return "";
    at = xml.find_first_of(" \t\r\n>", at); // the end of its name
    while (at != string::npos) {
        const size_t name = xml.find_first_not_of(" \t\r\n", at), equals = xml.find('=', at);
        const size_t open = xml.find_first_of("\"'", equals);
        if (name == string::npos || xml[name] == '>' || xml[name] == '/' || open == string::npos)
            return "";
        const size_t close = xml.find(xml[open], open + 1);
        if (close == string::npos)
            return "";
        if (xml.find_first_of(" \t\r\n=", name) - name == 4 && xml.compare(name, 4, "type") == 0)
            return xml.substr(open + 1, close - open - 1);
        at = close + 1;
    }
    return "";
}

} // namespace DiffPair
