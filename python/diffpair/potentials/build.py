"""From the config's `potential` section to the module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diffpair.errors import DiffPairError
from diffpair.potentials.analytic import GeneralisedLennardJones, LennardJones, ModifiedMorse, SoftSphere, Yukawa
from diffpair.potentials.base import PairPotential
from diffpair.potentials.bspline import BSpline
from diffpair.potentials.combine import Sum, TemperatureDependent
from diffpair.potentials.mlp import GaussianMLP
from diffpair.potentials.user_module import UserModule
from diffpair.settings.base import resolve_pairs
from diffpair.settings.potentials import Potential

# Per form: the class, its per-pair numbers, and its other options.
_ANALYTIC: dict[str, tuple[type[PairPotential], tuple[str, ...], tuple[str, ...]]] = {
    "lj": (LennardJones, ("epsilon", "sigma"), ()),
    "generalised_lj": (GeneralisedLennardJones, ("epsilon", "sigma", "n", "m"), ("learn_exponents",)),
    "soft_sphere": (SoftSphere, ("epsilon", "sigma", "n"), ()),
    "yukawa": (Yukawa, ("epsilon", "sigma", "kappa"), ()),
    "morse": (ModifiedMorse, ("epsilon", "sigma", "a", "phi"), ("learn_phi",)),
}


@dataclass(frozen=True)
class Scales:
    """What a fit knows about its system and the config may leave open.

    length: contact distance in nm. energy: kT in kJ/mol. r_min: first knot in nm. knots: of a spline. temperature: mean
    one of the fitted states, K.
    """

    length: float
    energy: float
    r_min: float
    knots: int
    temperature: float


def build_potential(
    section: Potential,
    types: tuple[str, ...],
    scales: Scales,
    *,
    global_names: tuple[str, ...] = (),
    parameters: tuple[float, ...] = (),
    seed: int = 0,
) -> PairPotential:
    """The potential that a config's `potential` section describes.

    Args:
        section: the checked section. types: names of the particle types.
        scales: fills what the section leaves open.
        global_names, parameters: names of the potential's global parameters, and values to try a user's module with.
        seed: of a network's initial weights.

    Raises DiffPairError for values or pairs that do not fit the types, or parameters that the form does not take.
    """
    if global_names and section.form not in ("module", "energy_entropy"):
        raise DiffPairError(
            f"states: the form {section.form} takes no parameters, but the states give {', '.join(global_names)}"
        )
    return _term(section.term, section, types, scales, global_names, parameters, seed)


def _term(
    term: Any,
    section: Potential,
    types: tuple[str, ...],
    scales: Scales,
    global_names: tuple[str, ...],
    parameters: tuple[float, ...],
    seed: int,
) -> PairPotential:
    cutoff, switch = section.cutoff, section.switch_width
    r_min = scales.r_min if section.r_min is None else section.r_min
    learned = section.learned_rows(types)
    potential: PairPotential
    if term.form == "sum":
        parts = [_term(part, section, types, scales, (), (), seed + i) for i, part in enumerate(term.parts)]
        return Sum(parts)
    if term.form == "energy_entropy":
        energy = _term(term.energy, section, types, scales, (), (), seed)
        entropy = _term(term.entropy, section, types, scales, (), (), seed + 1)
        return TemperatureDependent(energy, entropy, term.reference or scales.temperature)
    if term.form in _ANALYTIC:
        cls, per_pair, options = _ANALYTIC[term.form]
        values: dict[str, Any] = {
            name: resolve_pairs(getattr(term, name), types, f"potential: {name}", learned) for name in per_pair
        }
        values |= {name: getattr(term, name) for name in options}
        potential = cls(types, cutoff, **values, switch_width=switch, learned=learned)
    elif term.form == "bspline":
        potential = BSpline(types, cutoff, r_min, section.knots or scales.knots, learned)
    elif term.form == "mlp":
        prior = None
        if term.prior is not None:
            prior = _term(term.prior, section, types, scales, (), (), seed)
        potential = GaussianMLP(
            types,
            cutoff,
            length=term.length or scales.length,
            energy=term.energy or scales.energy,
            gaussians=term.gaussians,
            width=term.width,
            hidden=tuple(term.hidden),
            prior=prior,
            switch_width=switch,
            seed=seed,
            learned=learned,
        )
    elif term.form == "module":
        potential = UserModule(
            term.module,
            types,
            cutoff,
            global_names=global_names,
            r_min=r_min,
            parameters=parameters,
            switch_width=switch,
            learned=learned,
        )
    else:
        raise DiffPairError(f"potential: the form {term.form!r} is not available")
    if not term.trainable:
        potential.requires_grad_(False)
    return potential
