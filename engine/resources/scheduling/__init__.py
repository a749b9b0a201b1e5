"""Scheduling: who may start, who makes room and why the others wait, decided without looking at a clock or a disk."""

from lemnis.engine.resources.scheduling.claims import Claim, Decision, Device, Policy, Pool, Quota
from lemnis.engine.resources.scheduling.schedule import schedule

__all__ = ["Claim", "Decision", "Device", "Policy", "Pool", "Quota", "schedule"]
