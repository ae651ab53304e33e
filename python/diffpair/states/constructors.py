"""How a state is made: from a lattice, from files, from what a user runs already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from diffpair.targets import Readable, Target

if TYPE_CHECKING:
    from openmm import app

    from diffpair.states.files import PathLike
    from diffpair.states.from_simulation import Types
    from diffpair.states.state import State


class StateConstructors:
    """Those of `diffpair.State`. What they need is imported when they are used: a state can be looked at without."""

    @classmethod
    def from_lattice(
        cls, name: str, n: int, density: Any, types: Mapping[str, float], masses: Any, temperature: Any,
        targets: Sequence[Target | Readable] = (), held_out: bool = False, seed: int = 1,
        parameters: Mapping[str, float] | None = None, pressure: Any = None, replicas: int = 1,
    ) -> State:  # fmt: skip
        """Particles on a cubic lattice, which a fit melts: types shuffled over the sites, with vacancies where n asks
        for them.

        Args:
            name: unique among the states of a fit.
            n: number of particles; 4 m^3 fill a face-centred lattice.
            density (quantity): nm^-3, or with its unit of number or mass, "0.997 g/cm^3".
            types: mole fraction of each type by name, in the order of the types; they add up to 1.
            masses (quantity): amu, one for all, one per type by name, or one per type in order.
            temperature (quantity): of the ensemble, K.
            targets: what was measured.
            held_out: reported, never fitted.
            seed: decides which particle sits where; the same seed gives the same state.
            parameters: values of the potential's global parameters, by name.
            pressure (quantity | None): bar; a MonteCarloBarostat holds it, and the density is the one to start from.
                None is constant volume.
            replicas: see `with_replicas`.

        Raises:
            DiffPairError: numbers out of range, or a target that does not fit the state.

        Examples:
            >>> diffpair.State.from_lattice(
            ...     "salt", n=216, density="33 nm^-3", types={"Na": 0.5, "Cl": 0.5},
            ...     masses={"Na": 22.99, "Cl": 35.45}, temperature="1100 K",
            ... )
            state salt: 216 particles, 33 per nm^3, 1100 K
        """
        from diffpair.states.lattice import build_lattice

        return build_lattice(
            name, n, density, types, masses, temperature, targets, held_out, seed, parameters, pressure, replicas
        )

    @classmethod
    def from_files(
        cls, name: str, topology: PathLike, xml: PathLike | None = None, types: Mapping[str, str | None] | None = None,
        temperature: Any = 300.0, targets: Sequence[Target | Readable] = (), held_out: bool = False,
        parameters: Mapping[str, float] | None = None, exclude_bonds: int | None = None, masses: Any = None,
        replicas: int = 1,
    ) -> State:  # fmt: skip
        """A structure file and, for further forces, a System's XML.

        Args:
            name: unique among the states of a fit.
            topology: structure with a periodic box: .pdb, .cif / .pdbx or .gro.
            xml: a System saved with `openmm.XmlSerializer`; its forces stay, and its masses, constraints and barostat
                count.
            types: from "residue-atom", atom name, element symbol or residue name (looked up in that order; "*" is every
                other atom) to the type of the pair potential, or None for atoms that take no part in it. Without it the
                atom names are the types.
            temperature (quantity): of the ensemble, K.
            targets: what was measured.
            held_out: reported, never fitted.
            parameters: values of the potential's global parameters, by name.
            exclude_bonds: particles up to so many bonds apart do not feel the pair potential. Without it the exclusions
                of the System's `NonbondedForce` or `CustomNonbondedForce` are taken, since OpenMM wants those equal on
                GPUs, or 3.
            masses (quantity | None): amu, one or one per type; without it, and without `xml`, those of the elements
                that the file states.
            replicas: see `with_replicas`.

        Raises:
            DiffPairError: a file that cannot be read, an atom without type or mass, no periodic box, sizes that do not
                match, a System of another ensemble.

        Warns:
            UserWarning: other exclusions than the System's; a target that seems to count excluded pairs.
        """
        from diffpair.states.files import build_from_files

        return build_from_files(
            name, topology, xml, types, temperature, targets, held_out, parameters, exclude_bonds, masses, replicas
        )

    @classmethod
    def from_simulation(
        cls, simulation: app.Simulation, types: Types | None = None, targets: Sequence[Target | Readable] = (), *,
        name: str = "simulation", temperature: Any = None, held_out: bool = False,
        parameters: Mapping[str, float] | None = None, exclude_bonds: int | None = None,
    ) -> State:  # fmt: skip
        """The user's own Simulation, which stays as it is: forces, integrator, reporters, platform.

        A fit finds the System's `PairTableForce`, or adds one before anything runs, and writes every table into it. It
        runs the Simulation, so reporters see its steps, and leaves it with the learned potential.

        Args:
            simulation: with positions, near equilibrium.
            types: from "residue-atom", atom name, element symbol or residue name (looked up in that order; "*" is every
                other atom) to the type of the pair potential, or None for atoms that take no part in it; or a function
                of an `openmm.app` Atom that returns one of these. Without it the atom names are the types, or those of
                the PairTableForce that is there.
            targets: what was measured.
            name: unique among the states of a fit.
            temperature (quantity | None): K, where the integrator does not tell.
            held_out: reported, never fitted.
            parameters: values of the potential's global parameters, by name.
            exclude_bonds: particles up to so many bonds apart do not feel the pair potential. Without it the exclusions
                of the System's own `NonbondedForce` or `CustomNonbondedForce` are taken, or 3.

        Raises:
            DiffPairError: no positions, or a Simulation that is broken already; no periodic box; an integrator without
                temperature; a System that is not of a canonical or isobaric ensemble; an atom without a type; two
                PairTableForces, or one that is not periodic.

        Warns:
            UserWarning: other exclusions than the System's; a target that seems to count excluded pairs.
        """
        from diffpair.states.from_simulation import build_from_simulation

        return build_from_simulation(
            simulation, types, targets, name=name, temperature=temperature, held_out=held_out, parameters=parameters,
            exclude_bonds=exclude_bonds,
        )  # fmt: skip

    @classmethod
    def from_lammps(
        cls, script: PathLike, types: Mapping[str, str | None] | Mapping[int, str | None] | None = None,
        targets: Sequence[Target | Readable] = (), *, temperature: Any, name: str = "script", pressure: Any = None,
        command: str = "lmp", held_out: bool = False, parameters: Mapping[str, float] | None = None,
        exclude_bonds: int | None = None,
    ) -> State:  # fmt: skip
        """The user's own LAMMPS input script, whose forces, time step and thermostat stay.

        LAMMPS reads the script, from the script's folder, and is asked for the system. A fit has LAMMPS read it again,
        with the learned pair in it.

        Args:
            script: an input script of units real, metal or nano without commands that take steps; what only writes
                files is left out. It has fixes that move the atoms and hold their temperature.
            types: from the number of an atom type of LAMMPS or its label ("*" is every other type) to the type of the
                pair potential, or None for atoms that take no part in it; without it the script has the pair style
                diffpair, whose pair_coeff names them.
            targets: what was measured.
            temperature (quantity): K, what the script's thermostat holds.
            name: unique among the states of a fit.
            pressure (quantity | None): bar, what its barostat holds (fix npt, press/langevin, ...); None at constant
                volume.
            command: what starts LAMMPS, such as "mpiexec -n 2 lmp".
            held_out: reported, never fitted.
            parameters: values of the potential's global parameters, by name.
            exclude_bonds: particles up to so many bonds apart, at most 3, do not feel the learned pair. Without it the
                script's `special_bonds` say so.

        Raises:
            LammpsFailed: LAMMPS cannot be started, or does not take a command, whose place is told.
            DiffPairError: a script or a system that a fit cannot use, an atom type without a type of the potential.

        Warns:
            UserWarning: a target that seems to count excluded pairs.
        """
        from diffpair.states.from_lammps import build_from_lammps

        return build_from_lammps(
            script, types, targets, temperature=temperature, name=name, pressure=pressure, command=command,
            held_out=held_out, parameters=parameters, exclude_bonds=exclude_bonds,
        )  # fmt: skip
