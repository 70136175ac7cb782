"""Programs of questions: trees, notations, the grammar that a parser decodes, and what it leaves out."""
