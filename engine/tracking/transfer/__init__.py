"""Runs in and out: other stores of MLflow read, and an mlruns folder written."""
