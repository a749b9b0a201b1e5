"""The door of Resources: what this machine has, who uses it, who waits for it."""

from lemnis.engine.resources.pools import Claim, Decision, Pool, admit

__all__ = ["Claim", "Decision", "Pool", "admit"]
