"""Alerts one can answer: rules over windows and minutes, their states, silences, incidents and who is told."""
