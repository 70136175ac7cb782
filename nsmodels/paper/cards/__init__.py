"""Cards of models and data, and Croissant metadata: what a copy of an artifact has, and the paper lists."""
