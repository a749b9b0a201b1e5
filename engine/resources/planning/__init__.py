"""What infrastructure an expected volume needs: told from what this machine has measured, with how sure that is."""

from lemnis.engine.resources.planning.plan import Asked, DevicePlan, Plan, ServingPlan, StoragePlan
from lemnis.engine.resources.planning.records import Law, Measured, Sizes, Span, Trial

__all__ = ["Asked", "DevicePlan", "Law", "Measured", "Plan", "ServingPlan", "Sizes", "Span", "StoragePlan", "Trial"]
