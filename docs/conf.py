"""Sphinx: `make docs` builds the pages of this folder into build/docs, every warning an error."""

from __future__ import annotations

from datetime import date

import diffpair

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
]

html_theme = "furo"
html_title = f"DiffPair {release}"
html_theme_options = {"navigation_with_keys": True}

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# A single backtick in a docstring is a piece of code, as it is on the pages.
default_role = "code"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
napoleon_use_rtype = False
