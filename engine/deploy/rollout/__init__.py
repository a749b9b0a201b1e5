"""How a version comes into production: several workers, splits between two versions, and what ends a bad one."""
