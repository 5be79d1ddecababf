"""Settings of Sphinx. `make docs` builds the site with every warning an error."""

from typing import Any

from fastmllp import __version__

project = "fastmllp"
author = "the fastmllp authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["requirements.txt"]

html_theme = "furo"
html_title = f"fastmllp {__version__}"
html_show_copyright = False
html_copy_source = False

myst_enable_extensions = ["fieldlist"]
myst_heading_anchors = 3

# `Server` in a docstring is the class where there is one, and plain code where there is none.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
# The stubs have the types of the native classes; a signature shows what can be left out.
autodoc_typehints = "signature"
# What the arguments of a class are stands with its constructor.
autoclass_content = "both"
napoleon_numpy_docstring = False
napoleon_use_rtype = False


def _show_left_out_defaults(*event: Any) -> tuple[str | None, str | None]:
    """A default that the native module does not tell is ``...``, as in the stubs."""
    signature, result = event[-2:]
    return signature and signature.replace("=Ellipsis", "=..."), result


def _keep_colons(*event: Any) -> None:
    """Keep napoleon from reading what stands before a colon as the type of an attribute.

    It looks at the first line only, which is now an empty comment of reStructuredText.
    """
    what, lines = event[1], event[-1]
    if what in ("attribute", "property"):
        lines[:0] = ["..", ""]


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _keep_colons, priority=400)
    app.connect("autodoc-process-signature", _show_left_out_defaults)
