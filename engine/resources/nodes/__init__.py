"""Several machines: this one and the workers of the Dask cluster that lemnis.toml names, in one table."""

from lemnis.engine.resources.nodes.records import Node, Nodes
from lemnis.engine.resources.nodes.watch import NodeWatch

__all__ = ["Node", "NodeWatch", "Nodes"]
