"""What autodoc does not know of this package: types as its source spells them, settings, and forces made by SWIG.

Docstrings stay as they are in the source; here is how they are shown.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
from collections.abc import Mapping
from typing import Any

from sphinx.application import Sphinx
from sphinx.domains.python import PyObject

from diffpair.settings.base import Settings

# Names of the source that a reader need not know, and what they stand for. A quantity is a number in the unit that is
# named beside it, an OpenMM Quantity, or a text with a unit.
_ARRAY = ("Array", "NDArray", "np.ndarray")
_QUANTITY = ("Length", "Distance", "Temperature", "Time", "Rate", "AnyPressure", "PressureError")
_FLOAT = ("PositiveNumber", "NonNegativeNumber", "Fraction", "FractionOrZero")
WORDS = {
    **dict.fromkeys(_ARRAY, "ndarray"),
    "ArrayLike": "array_like",
    **dict.fromkeys(("Path", "PathLike", "Folder", "File", "os.PathLike"), "path"),
    **dict.fromkeys(_QUANTITY, "quantity"),
    **dict.fromkeys(_FLOAT, "float"),
    "NonNegativeNumberOrAuto": "float | 'auto'",
    **dict.fromkeys(("Count", "CountOrZero", "Knots"), "int"),
    "CountOrAuto": "int | 'auto'",
    "Flag": "bool",
    **dict.fromkeys(("Name", "Command"), "str"),
    "Device": "'auto' | 'cpu' | 'cuda'",
    "Integrator": "Verlet | LangevinMiddle | NoseHoover",
    **dict.fromkeys(("Column", "Block"), "int | str"),
    "ErrorColumn": "int | str",
    "LearnedPairs": "list[tuple[str, str]]",
    "Gradient": "Fluctuation | Reweighting | Adjoint",
    "Update": "GaussNewton | IterativeBoltzmann | InverseMonteCarlo | TorchOptimizer",
    "Target": "RdfTarget | VacfTarget | PressureTarget | DensityTarget | Distribution",
    "StartChoice": "Start",
    **dict.fromkeys(("Callback", "Progress"), "Callable"),
    **dict.fromkeys(("Any", "Self", "Term", "Origin", "UserSimulation", "UserScript"), ""),
    "app.Simulation": "openmm.app.Simulation",
    "app.Topology": "openmm.app.Topology",
    "Pairs": "Sequence[tuple[int, int]]",
    "Types": "Mapping[str, str | None] | Callable",
    "Paths": "ndarray",
    "FitProgress": "",
}
# In the settings of segments' integrator the same name is a choice of words.
OF_SETTINGS = {"Integrator": "'verlet' | 'langevin-middle' | 'nose-hoover'"}
# Types of C++ in the docstrings that SWIG makes, as Python takes them.
CPP = {
    "std::vector< double >": "Sequence[float]",
    "std::vector< std::pair< int,int > >": "Sequence[tuple[int, int]]",
    "std::istream": "str",
    "string": "str",
    ":py:class:`Context`": "openmm.Context",
}
# What SWIG is not told of the methods that every force has.
OF_SWIG = {
    "cast": [":param force: any OpenMM Force", ":returns: The same object under its own class."],
    "isinstance": [":param force: any OpenMM Force", ":returns: Whether it is."],
    "getExclusionParticles": [":returns: The two particles."],
}
# What its docstrings take for parameters, and C++ for places to write a result to.
OUTPUTS = {"getExclusionParticles": (":param particle", ":type particle")}
OVERLOADED = {"setEmbeddedTable": "(coefficients, parameterValues, derivatives=())"}
_FIELD = re.compile(r":(param|ivar) ([\w\\*]+):")
_COLON = "\ue000"  # of a property's text, where napoleon would take what stands before it for a type


def spelled(annotation: object, names: Mapping[str, object], words: Mapping[str, str] = WORDS) -> str:
    """An annotation as a reader wants it: short, with links to classes of this package; empty where it tells nothing.

    names: those of the module that it stands in.
    """
    if not isinstance(annotation, str):
        annotation = getattr(annotation, "__name__", str(annotation))
    return _text(ast.parse(annotation.strip(), mode="eval").body, names, words)


def _text(node: ast.expr, names: Mapping[str, object], words: Mapping[str, str]) -> str:
    match node:
        case ast.Constant(value=None):
            return "None"
        case ast.Constant(value=str(text)):
            return spelled(text, names, words)
        case ast.BinOp():
            shown = dict.fromkeys(_text(option, names, words) for option in _options(node))
            return " | ".join(option for option in shown if option)
        case ast.Subscript(value=value, slice=inner):
            base = ast.unparse(value)
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            if base == "Annotated":
                return _text(parts[0], names, words)
            if base == "Literal":
                return " | ".join(ast.unparse(part) for part in parts)
            if base in WORDS:  # an array of numbers, a path of text
                return words[base]
            shown = [_text(part, names, words) or "Any" for part in parts]
            return f"{_text(value, names, words)}[{', '.join(shown)}]"
        case ast.List(elts=parts):
            return f"[{', '.join(_text(part, names, words) or 'Any' for part in parts)}]"
        case ast.Name() | ast.Attribute():
            name = ast.unparse(node)
            return words[name] if name in words else _linked(name, names)
    return ast.unparse(node)


def _options(node: ast.expr) -> list[ast.expr]:
    """Those of `A | B | C`."""
    return [*_options(node.left), *_options(node.right)] if isinstance(node, ast.BinOp) else [node]


def _linked(name: str, names: Mapping[str, object]) -> str:
    """A class of this package by where it is defined, which autodoc knows; any other by its name."""
    found: Any = names.get(name)
    if inspect.isclass(found) and found.__module__.startswith("diffpair"):
        return f"~{found.__module__}.{found.__qualname__}"
    return name


def annotations_of(obj: Any) -> tuple[dict[str, Any], Mapping[str, object], Mapping[str, str]]:
    """Annotations of the parameters and attributes of a class or function, by name, and what `spelled` needs."""
    if not inspect.isclass(obj):
        function = inspect.unwrap(getattr(obj, "__func__", obj))
        return dict(getattr(function, "__annotations__", {})), getattr(function, "__globals__", {}), WORDS
    found: dict[str, Any] = {}
    if not dataclasses.is_dataclass(obj) and not issubclass(obj, Settings):
        found |= getattr(obj.__init__, "__annotations__", {})
    for base in reversed(obj.__mro__):
        if base.__module__.startswith("diffpair"):
            found |= inspect.get_annotations(base)
    return found, vars(sys.modules[obj.__module__]), WORDS | OF_SETTINGS if issubclass(obj, Settings) else WORDS


def add_types(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Write the type of every parameter, attribute and returned value beside it."""
    types, names, words = annotations_of(obj)
    told = {line.split(":")[1].split()[-1] for line in lines if line.startswith(":type ")}
    given = inspect.signature(obj.__init__).parameters if inspect.isclass(obj) else {}
    result: list[str] = []
    for line in lines:
        if found := _FIELD.match(line):
            parameter = found[2].replace("\\", "").lstrip("*")
            kind = spelled(types[parameter], names, words) if parameter in types else ""
            kind = "" if kind == "None" else kind  # all that is left of an internal class
            if kind and found[1] == "param" and parameter not in told:
                result.append(f":type {parameter}: {kind}")
            elif kind and found[1] == "ivar" and (dataclasses.is_dataclass(obj) or parameter not in given):
                result.append(f":vartype {parameter}: {kind}")
        elif line.startswith(":returns:") and (kind := spelled(types.get("return", "Any"), names, words)):
            linked = re.sub(r"~([\w.]+)", r":py:obj:`~\1`", kind).replace("|", "\\|")
            line = f":returns: {linked} -- {line.removeprefix(':returns:').strip()}"
        result.append(line.replace(_COLON, ":"))
    lines[:] = result


def translate_cpp(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Docstrings that SWIG has made of the C++ headers, in words of Python."""
    if "PairForce" not in name and "PairTableForce" not in name:
        return
    method = name.rsplit(".", 1)[-1]
    lines[:] = [line for line in lines if not line.startswith(OUTPUTS.get(method, ("\n",)))]
    lines += OF_SWIG.get(method, [])
    for number, line in enumerate(lines):
        if found := re.match(r":type (\w+): ([^,]+)(, optional)?$", line):
            lines[number] = f":type {found[1]}: {CPP.get(found[2], found[2])}"
        elif not line.lstrip().startswith(".."):
            lines[number] = re.sub(r"(?<=\w)::(?=\w)", ".", line)


def escape(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """|x| in a text is an absolute value, and *parameters are those of a call."""
    if what in ("property", "attribute", "data"):
        lines[:] = [line.replace(":", _COLON) for line in lines]
    literal: int | None = None  # indentation of what begins a literal block
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if literal is not None and line.strip() and indent <= literal:
            literal = None
        if literal is None and not line.lstrip().startswith((">>>", "..", ":type ")):
            pieces = re.split(r"(``.*?``|`.*?`)", line)
            pieces[::2] = [re.sub(r"\*(?=\w+\))", r"\*", piece.replace("|", "\\|")) for piece in pieces[::2]]
            lines[number] = "".join(pieces)
        if line.rstrip().endswith("::"):
            literal = indent


def show_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None] | None:
    """Of settings as they are called; defaults that are made anew each time as dots."""
    if inspect.isclass(obj) and issubclass(obj, Settings):
        return str(signature_of_settings(obj)), None
    if signature == "(*args)":
        return OVERLOADED[name.rsplit(".", 1)[-1]], None
    return None if signature is None else (signature.replace("<factory>", "..."), returns)


def signature_of_settings(kind: type[Settings]) -> inspect.Signature:
    """What may be given without its name first; then the fields, those without a default before the others."""
    parameters = []
    for name in kind.positional:
        field = kind.model_fields.get(name)
        default = inspect.Parameter.empty if field is None or field.is_required() else field.default
        parameters.append(inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default))
    hidden = {*kind.positional, *HIDDEN.get(kind.__name__, ())}
    fields = {name: field for name, field in kind.model_fields.items() if name not in hidden}
    for name, field in sorted(fields.items(), key=lambda item: not item[1].is_required()):
        default = inspect.Parameter.empty if field.is_required() else field.default
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))
    if kind.__name__ in KEYS:
        parameters.append(inspect.Parameter(KEYS[kind.__name__], inspect.Parameter.VAR_KEYWORD))
    return inspect.Signature(parameters)


# Fields that are made of other arguments, and the keys of a form.
HIDDEN = {
    "Rdf": ("pair",),
    "Potential": ("term",),
    **dict.fromkeys(("Fluctuation", "Adjoint", "Reweighting"), ("method",)),
    **dict.fromkeys(("GaussNewton", "IterativeBoltzmann", "InverseMonteCarlo"), ("method",)),
}
KEYS = {"Potential": "keys"}
HIDDEN_MEMBERS = ("thisown", "model_config", "model_post_init")


def leave_out(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Fields of named tuples, which stand among the parameters, and what SWIG adds or only C++ can call."""
    return True if type(obj).__name__ == "_tuplegetter" or name in HIDDEN_MEMBERS else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Before and after napoleon, which works at priority 500."""
    for field in PyObject.doc_field_types:
        if field.name == "variable":  # what napoleon makes of a section "Attributes"
            field.label = "Attributes"
    app.connect("autodoc-process-docstring", escape, priority=400)
    app.connect("autodoc-process-docstring", translate_cpp, priority=600)
    app.connect("autodoc-process-docstring", add_types, priority=700)
    app.connect("autodoc-process-signature", show_signature)
    app.connect("autodoc-skip-member", leave_out)
    return {"parallel_read_safe": True}
