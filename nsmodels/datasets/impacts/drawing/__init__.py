"""Drawing of objects, scenes, and their twins."""
