"""Concept drift and value: figures with their doubt, estimates before labels, and problems that changed."""
