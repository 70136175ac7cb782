"""Configuration of Sphinx for the documentation site; `docs/site/__main__.py` stages the pages and starts it.

Nothing is fetched while the site is built or read: no inventories of projects, no fonts or scripts of other hosts.
"""

import importlib.metadata

project = "nsmodels"
author = "The authors of nsmodels"
release = importlib.metadata.version("nsmodels")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docs.site.docstrings"]
language = "en"

# Headings have the anchors of code hosts. Pages may begin below the first level of headings.
myst_heading_anchors = 4
# Names in annotations are short, and two modules may have a class of the same name.
suppress_warnings = ["myst.header", "ref.python"]

default_role = "name"  # of `text` in a docstring; docs/site/docstrings.py
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # fields of a class as a list, not as objects of their own
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"nsmodels {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"top_of_page_buttons": []}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
# For `make links`, the only command that asks other hosts.
linkcheck_timeout = 20
linkcheck_retries = 2
