"""How far the rows of a window are from the reference: grids, scores, what past windows say of chance, and why."""
