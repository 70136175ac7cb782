"""The documentation site: the pages of the repository and a reference made from code, built by Sphinx.

`python -m docs.site` (`make docs`) stages the pages in `build/site/pages`, builds `build/site/html` and checks it.
"""
