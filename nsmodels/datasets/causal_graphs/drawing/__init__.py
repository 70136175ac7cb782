"""Drawing of causal graphs: acyclic graphs with mechanisms and a query, and twins by swaps of edges."""
