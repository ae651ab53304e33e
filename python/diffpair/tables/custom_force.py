"""A learned table as OpenMM's own CustomNonbondedForce, for machines without this plugin. Needs OpenMM and numpy only.

The same function, not a refit: the B-spline is written out as one cubic polynomial per interval between knots, whose
coefficients are discrete tabulated functions. What differs from PairTableForce is the speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import openmm

# a0 .. a3 belong to interval q of the pair; 0 is the line below the first knot, the last one is 0 beyond the cutoff.
_ENERGY = (
    "{first}+t*({second}+t*({third}+t*{fourth})); "
    "t=s-q+1; q=max(0,min({knots},floor(s)+1)); s=(r-{r_min!r})/{spacing!r}"
)


class Splines(Protocol):
    """What is asked of a PairTable; see there."""

    @property
    def types(self) -> tuple[str, ...]: ...
    @property
    def pairs(self) -> list[tuple[str, str]]: ...
    @property
    def r_min(self) -> float: ...
    @property
    def cutoff(self) -> float: ...
    @property
    def knots(self) -> int: ...
    @property
    def spacing(self) -> float: ...
    @property
    def coefficients(self) -> NDArray[np.float64]: ...
    def pair_index(self, a: int, b: int, /) -> int: ...


def polynomial_pieces(table: Splines) -> NDArray[np.float64]:
    """The table as polynomials in t = (r - r_min) / h - (q - 1), in kJ/mol: [npairs, knots + 1, 4], low powers first.

    q = 0 is the linear continuation below r_min, q = 1 .. knots - 1 are the intervals, q = knots is 0.
    """
    c0, c1, c2, c3 = (table.coefficients[:, i : i + table.knots - 1] for i in range(4))
    pieces = np.zeros((len(table.pairs), table.knots + 1, 4))
    pieces[:, 1:-1, 0] = (c0 + 4 * c1 + c2) / 6
    pieces[:, 1:-1, 1] = (c2 - c0) / 2
    pieces[:, 1:-1, 2] = (c0 - 2 * c1 + c2) / 2
    pieces[:, 1:-1, 3] = (c3 - c0 + 3 * (c1 - c2)) / 6
    pieces[:, 0, 0] = pieces[:, 1, 0] - pieces[:, 1, 1]
    pieces[:, 0, 1] = pieces[:, 1, 1]
    return pieces


def custom_nonbonded_force(table: Splines) -> openmm.CustomNonbondedForce:
    """A CustomNonbondedForce with the potentials of a table; particles are still to be added.

    With several types a particle has one parameter, "type": the index of its type in the table. The cutoff distance is
    the table's; OpenMM's default method, NoCutoff, gives 0 beyond it as well.
    """
    import openmm

    several = len(table.types) > 1
    names = [f"a{power}({'type1,type2,' if several else ''}q)" for power in range(4)]
    terms = dict(zip(("first", "second", "third", "fourth"), names, strict=True))
    force = openmm.CustomNonbondedForce(
        _ENERGY.format(knots=table.knots, r_min=table.r_min, spacing=table.spacing, **terms)
    )
    force.setName("PairTableForce as CustomNonbondedForce")
    force.setCutoffDistance(table.cutoff)
    if several:
        force.addPerParticleParameter("type")
    number = len(table.types)
    rows = [[table.pair_index(a, b) for a in range(number)] for b in range(number)]
    pieces = polynomial_pieces(table)
    for power in range(4):
        # OpenMM wants the first argument to run fastest; the pairs of types are symmetric.
        values = pieces[rows, :, power].transpose(2, 0, 1).ravel()
        function = (
            openmm.Discrete3DFunction(number, number, table.knots + 1, values)
            if several
            else openmm.Discrete1DFunction(values)
        )
        force.addTabulatedFunction(f"a{power}", function)
    return force


def to_custom_nonbonded_force(force: Any) -> openmm.CustomNonbondedForce:
    """Make a CustomNonbondedForce that gives what this PairTableForce gives, for machines without the plugin.

    Potentials, particles, exclusions, nonbonded method, cutoff distance and force group are taken over as they are now.
    Energies agree to rounding in double precision.

    Raises:
        openmm.OpenMMException: a pair of types has no coefficients.
    """
    table = force.getTable()
    result = custom_nonbonded_force(table)
    several = len(table.types) > 1
    for particle in range(force.getNumParticles()):
        result.addParticle([force.getParticleType(particle)] if several else [])
    for index in range(force.getNumExclusions()):
        result.addExclusion(*force.getExclusionParticles(index))
    methods = {
        force.NoCutoff: result.NoCutoff,
        force.CutoffNonPeriodic: result.CutoffNonPeriodic,
        force.CutoffPeriodic: result.CutoffPeriodic,
    }
    result.setNonbondedMethod(methods[force.getNonbondedMethod()])
    result.setCutoffDistance(force.getCutoffDistance())
    result.setForceGroup(force.getForceGroup())
    return result


def torch_to_custom_nonbonded_force(force: Any, **parameters: float) -> openmm.CustomNonbondedForce:
    """Make a CustomNonbondedForce that gives what this TorchPairForce gives at fixed values of its global parameters.

    Args:
        parameters: values of global parameters by name; the default value where one is not named.

    Raises:
        openmm.OpenMMException: there is no such parameter, or the table cannot be made (PyTorch is missing).
    """
    import openmm

    names = [force.getGlobalParameterName(i) for i in range(force.getNumGlobalParameters())]
    for name in parameters:
        if name not in names:
            raise openmm.OpenMMException(f"TorchPairForce: there is no global parameter '{name}'; it has {names}")
    values = [parameters.get(name, force.getGlobalParameterDefaultValue(i)) for i, name in enumerate(names)]
    return to_custom_nonbonded_force(force.createPairTableForce(values))
