#include "XmlType.h"
#include <vector>

using std::string;
using std::vector;

namespace DiffPairPlugin {

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

bool isWholeXml(const string& xml) {
    constexpr size_t deepest = 100;
    vector<string> open; // names of elements
    bool any = false;
    size_t at = 0;
    while ((at = xml.find('<', at)) != string::npos) {
        if (any && open.empty() && xml[at + 1] != '!' && xml[at + 1] != '?')
            return false; // a second element beside the outermost
        const bool comment = xml.compare(at, 4, "<!--") == 0;
        if (comment || xml[at + 1] == '?') {
            at = xml.find(comment ? "-->" : "?>", at);
            if (at == string::npos)
                return false;
            continue;
        }
        const bool closes = xml[at + 1] == '/', declares = xml[at + 1] == '!';
        const size_t name = at + 1 + closes;
        char quote = 0;
        for (at = name; at < xml.size() && (quote || xml[at] != '>'); at++)
            if (quote ? xml[at] == quote : !closes && (xml[at] == '"' || xml[at] == '\''))
                quote = quote ? 0 : xml[at];
        if (at >= xml.size())
            return false;
        if (declares)
            continue;
        const string element = xml.substr(name, xml.find_first_of(" \t\r\n/>", name) - name);
        if (closes) {
            if (open.empty() || open.back() != element)
                return false;
            open.pop_back();
        } else if (xml[at - 1] != '/')
            open.push_back(element);
        any = true;
        if (element.empty() || open.size() > deepest)
            return false;
    }
    return any && open.empty();
}

} // namespace DiffPairPlugin
