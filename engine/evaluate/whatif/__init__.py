"""What-if: one row whose values a person changes, answered by a small process that keeps the model loaded."""

from lemnis.engine.evaluate.whatif.child import WhatIf
from lemnis.engine.evaluate.whatif.records import Change, Field, Flips, Near, Opened, Tried

__all__ = ["Change", "Field", "Flips", "Near", "Opened", "Tried", "WhatIf"]
