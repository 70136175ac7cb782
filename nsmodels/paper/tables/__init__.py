"""Tables of the paper as LaTeX and CSV."""
