"""The kinds of models there are, by what they answer, and of the maps that make their probabilities better ones."""

from typing import Literal, TypeAlias

Task: TypeAlias = Literal["binary", "multiclass", "regression"]
Method: TypeAlias = Literal["isotonic", "platt", "temperature"]
