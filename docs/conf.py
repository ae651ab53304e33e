"""Sphinx: `make docs` builds the pages of this folder into build/docs, every warning an error."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import diffpair

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "DiffPair"
author = "DiffPair developers"
project_copyright = f"{date.today().year}, {author}"
version = release = diffpair.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_click",
    "sphinx_copybutton",
    "api_reference",
]
exclude_patterns = ["_ext"]

html_theme = "furo"
html_title = f"DiffPair {release}"
html_theme_options = {"navigation_with_keys": True}
# The contents of a page name a method without its class.
toc_object_entries_show_parents = "hide"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# A single backtick in a docstring is a piece of code, and a link where it names an object of the reference.
default_role = "py:obj"
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
# `api_reference` writes types beside the parameters, as the source spells them.
autodoc_typehints = "none"
napoleon_numpy_docstring = False
napoleon_attr_annotations = False
napoleon_use_ivar = True
napoleon_use_rtype = False
