"""CLEVR: images of simple solids with questions, programs and answers; archive, mini subset and synthetic twin."""
