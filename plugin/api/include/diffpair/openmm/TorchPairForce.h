#pragma once
#include "diffpair/openmm/PairTableForce.h"
#include <memory>

namespace DiffPairPlugin {

class PairTabulator;

/**
 * A pair potential given by a TorchScript module, which is evaluated on the knots of a table and never on pairs of particles:
 * it runs at the speed of a PairTableForce.
 *
 * The module's forward(r, *parameters) gets distances r [n] in nm and the values of the global parameters, each a scalar tensor,
 * all of double precision, and returns energies [numPairs, n] in kJ/mol, pairs ordered (0,0), (0,1) .. (0,T-1), (1,1) ..; with
 * one type also [n]. Energies are multiplied by a switching function over the last switchWidth before the cutoff and interpolated
 * by a cubic spline on the knots. When a global parameter changes in a Context, the table is made anew. The derivative of the
 * energy with respect to a global parameter is a table too, made by differentiating the module; see
 * addEnergyParameterDerivative().
 *
 * Tabulating needs PyTorch's libraries, running does not: a force that holds an embedded table (see embedTable()) works
 * without them while the parameters have the values that table was made at.
 */
class DIFFPAIR_OPENMM_EXPORT TorchPairForce : public PairForce {
public:
    /**
     * Create a TorchPairForce.
     *
     * @param module       the TorchScript module, as the bytes of the file that torch.jit.save writes (see readModule())
     * @param numTypes     the number of particle types
     * @param rMin         the first knot of the table, in nm
     * @param cutoff       the last knot of the table, in nm
     * @param numKnots     the number of knots, 5 or more
     * @param switchWidth  the width of the switching function before the cutoff, in nm; 0 for none, and if negative a tenth of
     *                     the cutoff
     */
    TorchPairForce(const std::string& module, int numTypes, double rMin, double cutoff, int numKnots, double switchWidth = -1);
    /**
     * Get the bytes of a file that holds a module.
     *
     * @param path  the path of the file
     */
    static std::string readModule(const std::string& path);
    /**
     * Read a TorchPairForce from the XML that XmlSerializer wrote. XML that holds something else is an error, whereas
     * XmlSerializer::deserialize() would take it for what it is asked for. The caller owns the force.
     *
     * @param stream  the XML
     */
    static TorchPairForce* fromXml(std::istream& stream);

    /** Get the bytes of the TorchScript module. */
    const std::string& getModule() const {
        return module;
    }
    /**
     * Replace the module. An embedded table is dropped.
     *
     * @param module  the bytes of the TorchScript module
     */
    void setModule(const std::string& module);
    /** Get the width of the switching function before the cutoff, in nm. */
    double getSwitchWidth() const {
        return switchWidth;
    }

    /** Get the number of global parameters that are passed to the module. */
    int getNumGlobalParameters() const {
        return static_cast<int>(parameters.size());
    }
    /**
     * Add a global parameter, the next argument of the module's forward. An embedded table is dropped.
     *
     * @param name          the name of the Context parameter
     * @param defaultValue  its value in a new Context
     * @return the index of the parameter
     */
    int addGlobalParameter(const std::string& name, double defaultValue);
    /**
     * Get the name of a global parameter.
     *
     * @param index  the index of the parameter
     */
    const std::string& getGlobalParameterName(int index) const;
    /**
     * Get the default value of a global parameter.
     *
     * @param index  the index of the parameter
     */
    double getGlobalParameterDefaultValue(int index) const;
    /**
     * Set the default value of a global parameter.
     *
     * @param index         the index of the parameter
     * @param defaultValue  its value in a new Context
     */
    void setGlobalParameterDefaultValue(int index, double defaultValue);

    /**
     * Request that this force compute the derivative of its energy with respect to a global parameter, for
     * State::getEnergyParameterDerivatives(). Each costs about an evaluation of the energy in every step. An embedded table is
     * dropped.
     *
     * @param name  the name of the parameter, which must have been added already
     */
    void addEnergyParameterDerivative(const std::string& name);
    /** Get the number of global parameters with respect to which the derivative of the energy is computed. */
    int getNumEnergyParameterDerivatives() const {
        return static_cast<int>(differentiated.size());
    }
    /**
     * Get the name of a global parameter with respect to which the derivative of the energy is computed.
     *
     * @param index  the index of the derivative, between 0 and getNumEnergyParameterDerivatives()
     */
    const std::string& getEnergyParameterDerivativeName(int index) const;

    /** Get whether this force holds a table, so that it can run without PyTorch. */
    bool hasEmbeddedTable() const {
        return !embeddedTable.empty();
    }
    /** Make the table, and those of derivatives, at the parameters' default values and keep them in this force and its XML. */
    void embedTable();
    /**
     * Set the embedded table.
     *
     * @param coefficients     numKnots + 2 B-spline coefficients for each pair of types one after another, in kJ/mol
     * @param parameterValues  the values of the global parameters that it was made at
     * @param derivatives      the same of the derivatives that have been requested, one after another
     */
    void setEmbeddedTable(const std::vector<double>& coefficients, const std::vector<double>& parameterValues,
                          const std::vector<double>& derivatives = std::vector<double>());
    /** Get the coefficients of the embedded table, empty if there is none. */
    const std::vector<double>& getEmbeddedTable() const {
        return embeddedTable;
    }
    /** Get the coefficients of the embedded derivatives, one after another in the order they were requested. */
    const std::vector<double>& getEmbeddedDerivatives() const {
        return embeddedDerivatives;
    }
    /** Get the values of the global parameters that the embedded table was made at. */
    const std::vector<double>& getEmbeddedParameterValues() const {
        return embeddedAt;
    }

    /**
     * Evaluate the module on the knots and get the table: numKnots + 2 B-spline coefficients for each pair of types.
     *
     * @param parameterValues  the values of the global parameters
     */
    std::vector<double> tabulate(const std::vector<double>& parameterValues) const;
    /**
     * Create a PairTableForce with this force's table, particles, exclusions and settings, for production without PyTorch.
     * The caller owns it.
     *
     * @param parameterValues  the values of the global parameters
     */
    PairTableForce* createPairTableForce(const std::vector<double>& parameterValues) const;
    /**
     * Compute how well the table represents the module: the largest |F_table - F_module| in kJ/mol/nm at three places between
     * any two knots, where the energy is below maxEnergy. F_module is the module's own derivative, with the switching function.
     *
     * @param parameterValues  the values of the global parameters
     * @param maxEnergy        in kJ/mol; where the energy is higher, particles hardly ever are
     */
    double computeTabulationError(const std::vector<double>& parameterValues, double maxEnergy = 50) const;
    /**
     * Compute how well the table in use in a Context represents the module; see computeTabulationError().
     *
     * @param context    a Context that contains this force
     * @param maxEnergy  in kJ/mol; where the energy is higher, particles hardly ever are
     */
    double getTabulationError(OpenMM::Context& context, double maxEnergy = 50) const;

    /**
     * Copy module, embedded table and particle types into a Context that contains this force, without reinitialising
     * it. Everything else must be as it was when the Context was created.
     *
     * @param context  the Context to update
     */
    void updateParametersInContext(OpenMM::Context& context);

protected:
    OpenMM::ForceImpl* createImpl() const override;

private:
    friend class TorchPairForceImpl;
    struct GlobalParameter {
        std::string name;
        double defaultValue;
    };
    void requireParameter(int index) const;
    std::vector<double> defaultValues() const;
    /** A PairTableForce like this force, with the given coefficients. */
    std::unique_ptr<PairTableForce> createTableForce(const std::vector<double>& coefficients) const;
    void copyTable(const std::vector<double>& coefficients, PairTableForce& force) const;
    /** Coefficients of U and of the requested derivatives. */
    struct Tables {
        std::vector<double> energy, derivatives;
    };
    Tables tabulate(const PairTabulator& tabulator, const std::vector<double>& parameterValues, bool withDerivatives) const;
    void dropEmbeddedTable();
    double tabulationError(const PairTabulator& tabulator, const std::vector<double>& coefficients,
                           const std::vector<double>& parameterValues, double maxEnergy) const;
    std::string module;
    double switchWidth;
    std::vector<GlobalParameter> parameters;
    std::vector<int> differentiated; // indices of parameters
    std::vector<double> embeddedTable, embeddedDerivatives, embeddedAt;
};

} // namespace DiffPairPlugin
