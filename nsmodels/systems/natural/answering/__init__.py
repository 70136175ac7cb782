"""From image and question to an answer with its confidence and proof."""
