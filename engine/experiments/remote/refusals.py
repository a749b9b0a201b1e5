"""What several workers can't train together. Pure."""

from collections.abc import Mapping

from lemnis.engine.errors import BadInput

TOGETHER = ("data", "data_parallel", "voting", "voting_parallel")


def refuse_spread(algorithm: str, parameters: Mapping[str, object]) -> None:
    """Raise BadInput for what can't be trained by several workers together."""
    remedy = "Train it here (--executor local), or in a sweep: there one worker trains a whole trial."
    if algorithm == "linear_tree":
        raise BadInput("linear_tree can't be trained by several workers: LightGBM grows such trees alone.", remedy)
    learner = str(parameters.get("tree_learner", parameters.get("tree", "data")))
    if learner not in TOGETHER:
        raise BadInput(
            f"tree_learner {learner} can't be trained by several workers that have each their own rows.",
            "Leave it out, or set it to data or voting.",
            "parameter tree_learner",
        )
