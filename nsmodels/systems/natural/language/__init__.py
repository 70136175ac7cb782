"""From a question to its program: mentions, a typed grammar, a parser that points, and how sure it is."""
