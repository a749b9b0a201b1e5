"""Which of the declared presets is meant."""

from lemnis.engine.config.experiments import Preset
from lemnis.engine.config.records import Config
from lemnis.engine.errors import NotFound
from lemnis.engine.text import safe


def find_preset(config: Config, name: str | None) -> tuple[str, Preset]:
    """Return a preset and its name: the one that is asked for, else `default`, else the first, else plain LightGBM.

    Raises:
        NotFound: There is none of this name.
    """
    if name is None or (name == "default" and not config.presets):
        chosen = "default" if "default" in config.presets else next(iter(config.presets), "default")
        return chosen, config.presets.get(chosen, Preset())
    if name not in config.presets:
        known = ", ".join(config.presets) or "none"
        raise NotFound(f"There is no preset {safe(name)!r}.", f"Presets: {known}. Declare it as [presets.NAME].")
    return name, config.presets[name]
