"""Trained models as files, and what answers from them: as little as a server has to import."""
