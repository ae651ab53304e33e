"""A liquid frame for LAMMPS and what all of its pairs give, in nm and kJ/mol."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from diffpair import PairTable

MASS = 39.948
NKTV2P = 68568.415  # LAMMPS, units real: kcal/mol/Angstrom^3 in atmospheres


def learned_like(types: tuple[str, ...]) -> PairTable:
    """Lennard-Jones-like tables of which no two are alike."""
    pairs = len(types) * (len(types) + 1) // 2
    nodes = 0.26 + (np.arange(62) - 1) * (0.85 - 0.26) / 59
    sixth = ((0.33 + 0.006 * np.arange(pairs)[:, None]) / nodes) ** 6
    coefficients = 4 * (1 + 0.2 * np.arange(pairs)[:, None]) * (sixth**2 - sixth)
    coefficients[:, -3:] = 0
    return PairTable(types, 0.26, 0.85, coefficients)


@dataclass
class Frame:
    """Positions [N, 3] and box edges [3] in nm, types [N], bonds [B, 2], factors of bonded pairs by (i, j), i < j."""

    table: PairTable
    x: np.ndarray
    box: np.ndarray
    types: np.ndarray
    bonds: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), int))
    factors: dict[tuple[int, int], float] = field(default_factory=dict)

    @classmethod
    def random(
        cls, cells: tuple[int, int, int] = (10, 11, 12), types: tuple[str, ...] = ("A", "B"), seed: int = 1
    ) -> Frame:
        """A dense fluid, 0.37 nm from atom to atom, of random types."""
        random = np.random.default_rng(1)
        lattice = np.array(list(np.ndindex(*cells))) + 0.5
        x = 0.37 * lattice + random.uniform(-0.05, 0.05, lattice.shape)
        box = 0.37 * np.array(cells)
        return cls(learned_like(types), np.mod(x, box), box, random.integers(0, len(types), len(x)))

    def write(self, folder: Path) -> None:
        """The potential and a data file of LAMMPS in Angstrom."""
        self.table.save(folder / "potential.json")
        edges = (10 * self.box).tolist()
        lines = [
            "a liquid frame",
            "",
            f"{len(self.x)} atoms",
            f"{len(self.table.types)} atom types",
            *([f"{len(self.bonds)} bonds", "1 bond types"] if len(self.bonds) else []),
            "",
            *(f"0 {edge!r} {axis}lo {axis}hi" for edge, axis in zip(edges, "xyz", strict=True)),
            "",
            "Atoms",
            "",
        ]
        molecule = "1 " if len(self.bonds) else ""
        for i, ((x, y, z), kind) in enumerate(zip((10 * self.x).tolist(), self.types.tolist(), strict=True)):
            lines.append(f"{i + 1} {molecule}{kind + 1} {x!r} {y!r} {z!r}")
        if len(self.bonds):
            lines += ["", "Bonds", "", *(f"{k + 1} 1 {i + 1} {j + 1}" for k, (i, j) in enumerate(self.bonds.tolist()))]
        (folder / "data.lmp").write_text("\n".join(lines) + "\n")

    def commands(self, newton: str = "on") -> list[str]:
        """A script up to the pair style, in units real."""
        bonded = ["bond_style zero", "special_bonds lj 0 0.25 0.5"] if len(self.bonds) else []
        return [
            "units real",
            f"newton {newton}",
            f"atom_style {'bond' if len(self.bonds) else 'atomic'}",
            *bonded,
            "read_data data.lmp",
            *(["bond_coeff *"] if len(self.bonds) else []),
            f"mass * {MASS}",
        ]

    def pair_commands(self) -> list[str]:
        return ["pair_style diffpair", f"pair_coeff * * potential.json {' '.join(self.table.types)}"]

    def brute_force(self) -> Sums:
        """Sums over all pairs of nearest images."""
        i, j = np.triu_indices(len(self.x), 1)
        d = self.x[i] - self.x[j]
        d -= self.box * np.round(d / self.box)
        r = np.linalg.norm(d, axis=1)
        near = r < self.table.cutoff
        i, j, d, r = i[near], j[near], d[near], r[near]
        energy, force = np.zeros(len(r)), np.zeros(len(r))
        for a in range(len(self.table.types)):
            for b in range(len(self.table.types)):
                these = (self.types[i] == a) & (self.types[j] == b)
                energy[these] = self.table.energy(r[these], a, b)
                force[these] = self.table.force(r[these], a, b)
        factor = np.array([self.factors.get((int(a), int(b)), 1.0) for a, b in zip(i, j, strict=True)])
        energy, vectors = factor * energy, (factor * force / r)[:, None] * d
        atoms, forces = np.zeros(len(self.x)), np.zeros_like(self.x)
        np.add.at(forces, i, vectors)
        np.add.at(forces, j, -vectors)
        np.add.at(atoms, i, 0.5 * energy)
        np.add.at(atoms, j, 0.5 * energy)
        virial = np.einsum("pa,pb->ab", d, vectors)
        of_atoms = np.zeros((len(self.x), 6))
        products = np.stack([d[:, a] * vectors[:, b] for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))], 1)
        np.add.at(of_atoms, i, 0.5 * products)
        np.add.at(of_atoms, j, 0.5 * products)
        return Sums(float(energy.sum()), forces, virial, atoms, of_atoms)


@dataclass
class Sums:
    """Energy, forces [N, 3], virial [3, 3], energies [N] and virials [N, 6] of atoms, in kJ/mol and nm."""

    energy: float
    forces: np.ndarray
    virial: np.ndarray
    energies: np.ndarray
    virials: np.ndarray


def scaled(frame: Frame, units: str, length: float, energy: float) -> list[str]:
    """A script up to the pair style in another unit style.

    Args:
        length, energy: one unit in nm and kJ/mol.
    """
    scale = 0.1 / length
    return [
        *(line.replace("units real", f"units {units}") for line in frame.commands()),
        f"change_box all x scale {scale!r} y scale {scale!r} z scale {scale!r} remap",
    ]
