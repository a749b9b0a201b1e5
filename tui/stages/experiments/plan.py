"""A grid in words: what is varied, what each run would be, how many there are and how long they take. Pure."""

from lemnis.engine.experiments import Plan
from lemnis.tui.format import duration


def plan_words(plan: Plan) -> str:
    """Return in a sentence how many runs a grid makes and how long they take."""
    made, new = len(plan.cells), len(plan.new)
    words = f"{plan.combinations} {'combination' if plan.combinations == 1 else 'combinations'}"
    words += f", {made} different" if made != plan.combinations else ""
    words += f", {made - new} there already" if made != new else ""
    words += f": {new} to train"
    if not new:
        return f"{words}."
    if plan.seconds is None:
        return f"{words}; no earlier run tells how long."
    told = f"from {plan.basis} earlier {'run' if plan.basis == 1 else 'runs'}"
    return f"{words}, about {duration(plan.seconds)}, {plan.at_once} at a time, told {told}."
