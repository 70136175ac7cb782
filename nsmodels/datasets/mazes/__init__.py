"""Grid maps with start and goal, labelled by exact search: generated, or read from MovingAI and Maze-Hard files."""
