"""GQA: questions about scene graphs of photographs, and their synthetic twin."""
