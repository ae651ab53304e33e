#include "Potential.h"
#include "json.h" // of LAMMPS
#include <algorithm>
#include <set>
#include <stdexcept>

namespace diffpair::lammps {

namespace {

using Json = LAMMPS_NS::json;

/** Objects and lists within each other; a potential file has five, and its provenance whatever a user puts there. */
constexpr int deepest = 100;

/** Checks a file's content, key by key; each refusal names the file. */
class Reader {
public:
    explicit Reader(const std::string& name) : name(name) {
    }

    Potential read(const std::string& text) const {
        const Json document = parse(text);
        if (!document.is_object() || !document.contains("format") || document["format"] != "diffpair-potential")
            refuse("not a potential file: \"format\" must be \"diffpair-potential\"");
        if (const Json& version = at(document, "version"); !version.is_number_integer() || version != 1)
            refuse("\"version\" is " + shortened(version) + ", but this plugin reads version 1 of the potential format only");
        static const std::set<std::string> known = {
            "format", "version",           "units",   "types",  "r_min",      "cutoff", "knots",
            "pairs",  "global_parameters", "entropy", "bonded", "provenance", "fit"};
        for (const auto& [key, value] : document.items())
            if (known.count(key) == 0)
                refuse("unknown key \"" + key + "\"");
        if (at(document, "units") != Json{{"length", "nm"}, {"energy", "kJ/mol"}})
            refuse("\"units\" must be {\"length\": \"nm\", \"energy\": \"kJ/mol\"}");
        Potential potential;
        readTypes(at(document, "types"), potential);
        readGrid(document, potential);
        readPairs(at(document, "pairs"), potential);
        potential.hasBonded = document.contains("bonded") && !document["bonded"].empty();
        return potential;
    }

private:
    [[noreturn]] void refuse(const std::string& problem) const {
        throw std::runtime_error(name + ": " + problem);
    }
    static std::string shortened(const Json& value) {
        const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
        return text.size() <= 60 ? text : text.substr(0, 57) + "...";
    }
    const Json& at(const Json& object, const char* key) const {
        const auto found = object.find(key);
        if (found == object.end())
            refuse("the key \"" + std::string(key) + "\" is missing");
        return *found;
    }

    Json parse(const std::string& text) const {
        std::vector<std::set<std::string>> keys; // of the objects that are open
        const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
            if (depth > deepest)
                refuse("not a potential file: it is nested too deeply");
            if (event == Json::parse_event_t::object_start)
                keys.emplace_back();
            else if (event == Json::parse_event_t::object_end)
                keys.pop_back();
            else if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
                refuse("the key \"" + parsed.get<std::string>() + "\" appears twice");
            return true;
        };
        try {
            return Json::parse(text, watch);
        } catch (const Json::exception& error) {
            const std::string what = error.what(); // begins with a number of its own in brackets
            const size_t bracket = what.find("] ");
            refuse("not a potential file, or a damaged one: " + what.substr(bracket == std::string::npos ? 0 : bracket + 2));
        }
    }

    void readTypes(const Json& types, Potential& potential) const {
        bool right = types.is_array() && !types.empty();
        for (const Json& type : right ? types : Json::array())
            right = right && type.is_string() && !type.get_ref<const std::string&>().empty();
        if (!right)
            refuse("\"types\" must be a list of type names, not " + shortened(types));
        for (const Json& type : types) {
            if (potential.find(type) >= 0)
                refuse("\"types\" names a type twice: " + shortened(types));
            potential.types.push_back(type);
        }
    }

    double number(const Json& value, const std::string& key) const {
        if (!value.is_number())
            refuse("\"" + key + "\" must be a number, not " + shortened(value));
        return value; // finite: the parser takes no other
    }

    void readGrid(const Json& document, Potential& potential) const {
        const Json& knots = at(document, "knots");
        if (!knots.is_number_unsigned() || knots < 1 || knots > 1000000000)
            refuse("\"knots\" must be a positive integer, not " + shortened(knots));
        potential.grid = {number(at(document, "r_min"), "r_min"), number(at(document, "cutoff"), "cutoff"), knots};
        try {
            potential.grid.validate();
            potential.grid.validateTables(potential.numTypes());
        } catch (const std::invalid_argument& error) {
            refuse(error.what());
        }
    }

    void readPairs(const Json& pairs, Potential& potential) const {
        if (!pairs.is_array())
            refuse("\"pairs\" must be a list, not " + shortened(pairs));
        const int number = potential.grid.numCoefficients(), numPairs = numTypePairs(potential.numTypes());
        potential.coefficients.assign(static_cast<size_t>(numPairs) * number, 0.0);
        std::vector<bool> seen(numPairs, false);
        for (size_t index = 0; index < pairs.size(); index++) {
            const std::string key = "pairs[" + std::to_string(index) + "]";
            const int row = readPair(pairs[index], key, potential);
            if (seen[row])
                refuse("\"" + key + "\" gives a pair of types a second time");
            seen[row] = true;
        }
        for (int a = 0; a < potential.numTypes(); a++)
            for (int b = a; b < potential.numTypes(); b++)
                if (!seen[typePairIndex(a, b, potential.numTypes())])
                    refuse("\"pairs\" has no potential for the type pair " + potential.types[a] + "-" + potential.types[b]);
    }

    int readPair(const Json& pair, const std::string& key, Potential& potential) const {
        if (!pair.is_object() || pair.size() != 2 || !pair.contains("types") || !pair.contains("coefficients"))
            refuse("\"" + key + "\" must hold \"types\" and \"coefficients\" and nothing else");
        const Json &names = pair["types"], &values = pair["coefficients"];
        if (!names.is_array() || names.size() != 2 || !names[0].is_string() || !names[1].is_string())
            refuse("\"" + key + ".types\" must name two types, not " + shortened(names));
        for (const Json& type : names)
            if (potential.find(type) < 0)
                refuse("\"" + key + ".types\" names " + shortened(type) +
                       ", which is not one of \"types\": " + potential.listOfTypes());
        const int count = potential.grid.numCoefficients();
        if (!values.is_array() || values.size() != static_cast<size_t>(count))
            refuse("\"" + key + ".coefficients\" must be knots + 2 = " + std::to_string(count) + " numbers");
        const int row = typePairIndex(potential.find(names[0]), potential.find(names[1]), potential.numTypes());
        for (int k = 0; k < count; k++) {
            const std::string one = key + ".coefficients[" + std::to_string(k) + "]";
            const double value = number(values[k], one);
            if (k >= count - 3 && value != 0)
                refuse("\"" + one + "\" must be 0, as the last three coefficients are, not " + shortened(values[k]));
            potential.coefficients[static_cast<size_t>(row) * count + k] = value;
        }
        return row;
    }

    const std::string& name;
};

} // namespace

int Potential::find(const std::string& type) const {
    const auto at = std::find(types.begin(), types.end(), type);
    return at == types.end() ? -1 : static_cast<int>(at - types.begin());
}

std::string Potential::listOfTypes() const {
    std::string names;
    for (const std::string& type : types)
        names += (names.empty() ? "" : ", ") + type;
    return names;
}

Potential parsePotential(const std::string& text, const std::string& name) {
    return Reader(name).read(text);
}

} // namespace diffpair::lammps
