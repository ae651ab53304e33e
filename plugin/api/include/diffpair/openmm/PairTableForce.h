#pragma once
#include "diffpair/openmm/PairForce.h"
#include <istream>
#include <map>

namespace DiffPairPlugin {

/**
 * A pair potential given by a table for every pair of particle types: a uniform cubic B-spline in the distance.
 *
 * numKnots knots span rMin to tableCutoff, h = (tableCutoff - rMin) / (numKnots - 1), and a pair of types has
 * numKnots + 2 coefficients: U(r) = sum_k c[k] B((r - rMin) / h - (k - 1)), with B the cardinal cubic B-spline. The force is the
 * exact derivative, so energy is conserved. Below rMin the potential continues linearly. The last three coefficients must
 * be 0, so that energy, force and curvature vanish at the cutoff.
 */
class DIFFPAIR_OPENMM_EXPORT PairTableForce : public PairForce {
public:
    /**
     * Create a PairTableForce.
     *
     * @param numTypes     the number of particle types
     * @param rMin         the first knot of the tables, in nm
     * @param tableCutoff  the last knot of the tables, in nm
     * @param numKnots     the number of knots, 5 or more
     */
    PairTableForce(int numTypes, double rMin, double tableCutoff, int numKnots);
    /**
     * Read a PairTableForce from the XML that XmlSerializer or `diffpair export --format openmm` wrote. XML that holds something
     * else is an error, whereas XmlSerializer::deserialize() would take it for what it is asked for. The caller owns the force.
     *
     * @param stream  the XML
     */
    static PairTableForce* fromXml(std::istream& stream);

    /**
     * Get whether a pair of types has been given coefficients.
     *
     * @param type1  the index of the first type
     * @param type2  the index of the second type
     */
    bool hasPairCoefficients(int type1, int type2) const;
    /**
     * Set the potential of a pair of types.
     *
     * @param type1         the index of the first type
     * @param type2         the index of the second type
     * @param coefficients  the numKnots + 2 B-spline coefficients in kJ/mol, the last three of them 0
     */
    void setPairCoefficients(int type1, int type2, const std::vector<double>& coefficients);
    /**
     * Get the numKnots + 2 B-spline coefficients of a pair of types, in kJ/mol.
     *
     * @param type1  the index of the first type
     * @param type2  the index of the second type
     */
    std::vector<double> getPairCoefficients(int type1, int type2) const;

    /**
     * Compute the energy of a pair of particles, in kJ/mol.
     *
     * @param type1  the index of the first type
     * @param type2  the index of the second type
     * @param r      their distance, in nm
     */
    double getPairEnergy(int type1, int type2, double r) const;
    /**
     * Compute the force -dU/dr between a pair of particles, in kJ/mol/nm. It is positive where they repel each other.
     *
     * @param type1  the index of the first type
     * @param type2  the index of the second type
     * @param r      their distance, in nm
     */
    double getPairForce(int type1, int type2, double r) const;

    /**
     * Copy coefficients and particle types into a Context that contains this force, without reinitialising it. Everything
     * else (exclusions, number of particles, nonbonded method, cutoff) must be as it was when the Context was created.
     *
     * @param context  the Context to update
     */
    void updateParametersInContext(OpenMM::Context& context);

protected:
    OpenMM::ForceImpl* createImpl() const override;

private:
    friend class TorchPairForce;
    /** slope: dU/dr */
    void evaluate(int type1, int type2, double r, double& energy, double& slope) const;
    std::map<int, std::vector<double>> coefficients; // by the index of a pair of types: 4096 types have 8 million of them
};

} // namespace DiffPairPlugin
