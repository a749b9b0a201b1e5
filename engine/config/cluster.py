"""What lemnis.toml declares of the cluster: an existing Dask scheduler, and what a training asks of its workers."""

import re
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, field

from lemnis.engine.config.types import Declared

Executor: TypeAlias = Literal["local", "dask"]
ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]@]+):\d{1,5}/?")


class Cluster(Declared, frozen=True):
    """A Dask cluster that runs already; where it is used is said by `executor` of a preset or a sweep.

    Attributes:
        address: Of its scheduler, such as ``tcp://10.0.0.5:8786``, or ``tls://…`` with the three files.
        ca, certificate, key: PEM files for TLS, relative to the workspace unless absolute.
        resources: What each training asks of a worker's own Dask resources, besides its cores: ``{ GPU = 0.5 }``.
    """

    address: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""
    resources: dict[str, Annotated[float, Meta(gt=0)]] = field(default_factory=dict[str, float])


def cluster_problems(cluster: Cluster) -> list[tuple[str, str, list[str]]]:
    """Return what is wrong with the cluster: the problem, what to do, and the keys that lead to it."""
    keys = ["cluster", "address"]
    files = {"ca": cluster.ca, "certificate": cluster.certificate, "key": cluster.key}
    if cluster == Cluster():
        return []
    if not ADDRESS.fullmatch(cluster.address):
        remedy = "Write tcp://HOST:PORT of the scheduler; Dask's own port is 8786."
        return [(f"cluster.address {cluster.address!r} is no address of a Dask scheduler.", remedy, keys)]
    missing = [name for name, path in files.items() if not path]
    if cluster.address.startswith("tls://") and missing:
        return [(f"cluster.address asks for TLS, but there is no {missing[0]}.", "Name the PEM file.", keys)]
    if cluster.address.startswith("tcp://") and len(missing) < len(files):
        remedy = "Write tls://HOST:PORT, or leave the files out."
        return [("cluster has files for TLS, but its address is none of TLS.", remedy, keys)]
    return []
