"""The answer to a question about an image, chosen among frequent answers: for what no program answers."""
