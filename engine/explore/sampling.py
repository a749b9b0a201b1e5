"""A column's profile from a sample, with how sure its figures are."""

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from lemnis.engine.explore.columns import Columns
from lemnis.engine.explore.measure import Beside, Measured, measure_column
from lemnis.engine.explore.profile import Profile, blank_profile
from lemnis.engine.explore.signals import margin
from lemnis.engine.explore.target import Classes, label_classes


class Sample:
    """The sample of one version, by the classes of a column (`rare` as in `label_classes`); that is read once."""

    def __init__(self, columns: Columns, by: str, *, rare: bool = False) -> None:
        self.columns, self.version, self.by, self.rare = columns, columns.version, by, rare
        self.rows = sum(place.rows for place in columns.places)

    @cached_property
    def classes(self) -> Classes | None:
        """The classes of the sampled rows."""
        if not self.by:
            return None
        return label_classes(pa.chunked_array(self._chunks(self.by)), rare=self.rare)

    def measure(self, position: int) -> Measured:
        """Return the profile of one column as far as the sample tells."""
        column = self.version.columns[position]
        groups = self.columns.sample(column.name)
        blank = replace(blank_profile(column, position, self.rows), sample_of=self.version.rows)
        chunks = [chunk for group in groups for chunk in group.chunks]
        measured = measure_column(pa.chunked_array(chunks, groups[0].type), blank, Beside(self.classes))
        margins = margins_of(groups, measured.profile, self.rows / max(1, self.version.rows))
        findings = replace(measured.profile.findings, margins=margins)
        return measured._replace(profile=replace(measured.profile, findings=findings))

    def _chunks(self, name: str) -> list[Any]:
        return [chunk for group in self.columns.sample(name) for chunk in group.chunks]


def margins_of(groups: list[Any], profile: Profile, part: float) -> dict[str, float]:
    """Return half the width of a 95% interval for each figure that the groups of the sample give."""
    estimates: dict[str, list[float]] = {"missing": [], "mean": [], "median": [], "top": []}
    top = profile.top[0].value if profile.top else None
    for group in groups:
        known = group.drop_null()
        if profile.kind == "numeric":
            values = known.to_numpy().astype(np.float64)
            values = values[~np.isnan(values)]
            if len(values):
                estimates["mean"].append(float(values.mean()))
                estimates["median"].append(float(np.median(values)))
            estimates["missing"].append(1 - len(values) / max(1, len(group)))
            continue
        estimates["missing"].append(1 - len(known) / max(1, len(group)))
        if profile.kind == "categorical" and top is not None and len(known):
            words = known.cast(pa.string()) if pa.types.is_dictionary(known.type) else known
            if pa.types.is_string(words.type) or pa.types.is_large_string(words.type):
                estimates["top"].append(float(pc.mean(pc.equal(words, top)).as_py()))
    found = {name: margin(np.array(values), part) for name, values in estimates.items()}
    return {name: width for name, width in found.items() if np.isfinite(width)}
