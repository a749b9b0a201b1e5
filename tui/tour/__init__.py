"""The tour of the loop: a few lines at the bottom that lead through the ten tabs."""
