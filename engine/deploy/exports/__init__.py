"""Models for other applications: written once, compared row by row with the version they are made of, on record."""
