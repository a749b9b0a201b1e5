"""Interpretation: what a model's features do to its answers, alone and together, and what its errors have in common."""
