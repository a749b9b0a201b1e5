"""The whole of lemnis.toml as one record, in the order of the stages."""

from msgspec import field

from lemnis.engine.config.cluster import Cluster
from lemnis.engine.config.data import Dataset, Source
from lemnis.engine.config.deploy import Endpoint
from lemnis.engine.config.experiments import Features, Preset, View
from lemnis.engine.config.labels import Labels
from lemnis.engine.config.monitor import Alert, Contact, Monitor, OnCall
from lemnis.engine.config.problem import Problem
from lemnis.engine.config.resources import Infrastructure, Pool
from lemnis.engine.config.retraining import Retraining
from lemnis.engine.config.share import Remote
from lemnis.engine.config.sweeps import Sweep
from lemnis.engine.config.types import Declared, Name
from lemnis.engine.config.validate import Check, CodeList


class Config(Declared, frozen=True):
    """The whole of lemnis.toml."""

    problem: Problem = Problem()
    sources: dict[Name, Source] = field(default_factory=dict[Name, Source])
    dataset: Dataset = Dataset()
    labels: dict[Name, Labels] = field(default_factory=dict[Name, Labels])
    checks: list[Check] = field(default_factory=list[Check])
    code_lists: dict[Name, CodeList] = field(default_factory=dict[Name, CodeList])
    features: Features = Features()
    presets: dict[Name, Preset] = field(default_factory=dict[Name, Preset])
    sweeps: dict[Name, Sweep] = field(default_factory=dict[Name, Sweep])
    views: dict[Name, View] = field(default_factory=dict[Name, View])
    endpoints: dict[Name, Endpoint] = field(default_factory=dict[Name, Endpoint])
    monitor: Monitor = Monitor()
    alerts: list[Alert] = field(default_factory=list[Alert])
    oncall: OnCall = OnCall()
    contacts: dict[Name, Contact] = field(default_factory=dict[Name, Contact])
    retraining: Retraining = Retraining()
    pool: Pool = Pool()
    infrastructure: Infrastructure = Infrastructure()
    cluster: Cluster = Cluster()
    remotes: dict[Name, Remote] = field(default_factory=dict[Name, Remote])
