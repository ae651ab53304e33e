"""Who imports whom in the package, by its source: in the order that ARCHITECTURE.md gives, and never in a circle."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "diffpair"


# State.from_..., which `constructors` holds, are made in these, and they make States
CONSTRUCTORS = {f"diffpair.states.{name}" for name in ("files", "from_lammps", "from_simulation", "lattice")}


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


def imports_of(source, modules=MODULES, typing=True):
    """Modules of the package that a source imports, in functions too; typing: also those for type checkers alone."""
    tree = ast.parse(source)
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typing:
            skipped |= {id(inner) for statement in node.body for inner in ast.walk(statement)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        # a relative one is SWIG's, of its compiled half
        elif isinstance(node, ast.ImportFrom) and not node.level and str(node.module).split(".")[0] == "diffpair":
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else str(node.module)


def room(module):
    """Folder or single module right under the package; the package itself is `diffpair`."""
    return module.split(".")[1] if "." in module else "diffpair"


def order():
    """As ARCHITECTURE.md has it: the block after the sentence on imports."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    (block,) = re.findall(r"imports only what\s+stands before it.*?```\n(.*?)```", text, re.DOTALL)
    return block.split()


def circle_in(graph):
    """Names along a circle of a graph, name -> names; empty where there is none."""
    done, path = set(), []

    def visit(name):
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        path.append(name)
        for other in sorted(graph.get(name, ())):
            if found := visit(other):
                return found
        path.pop()
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := visit(name))), [])


def test_folders_import_in_the_order_of_the_architecture():
    rank = {name: place for place, name in enumerate(order())}
    wrong = {}
    for module, path in MODULES.items():
        for other in imports_of(path.read_text()):
            a, b = room(module), room(other)
            if a != b and rank[a] < rank[b]:
                wrong.setdefault((a, b), []).append(module)
    assert not wrong


def test_every_folder_has_a_place_in_the_order():
    named = order()
    assert len(named) == len(set(named))
    assert {room(module) for module in MODULES} <= set(named)
    generated = {"_build_info", "_openmm_forces"}
    assert set(named) - generated <= {room(module) for module in MODULES}


def test_no_module_imports_itself_through_others():
    """Imports that run, at import or later; a type checker may look ahead."""
    graph = {name: set(imports_of(path.read_text(), typing=False)) - {name} for name, path in MODULES.items()}
    for name in ("state", "constructors"):
        graph[f"diffpair.states.{name}"] -= CONSTRUCTORS
    packages = {name for name in MODULES if MODULES[name].name == "__init__.py"}
    # a folder's __init__ only gathers what its modules offer
    assert circle_in({name: others - packages for name, others in graph.items() if name not in packages}) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import diffpair.a.b", ["diffpair.a.b"]),
        ("def f():\n    from diffpair.a import b, C", ["diffpair.a.b", "diffpair.a"]),
        ("from diffpair import a", ["diffpair.a"]),
        ("import torch\nfrom diffpair_other import a", []),
        ("if TYPE_CHECKING:\n    from diffpair.a import b\nelse:\n    import diffpair.a", ["diffpair.a"]),
    ],
)
def test_imports_are_found(source, found):
    known = {"diffpair", "diffpair.a", "diffpair.a.b"}
    assert sorted(imports_of(source, known, typing=False)) == sorted(found)


def test_circles_are_found():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
