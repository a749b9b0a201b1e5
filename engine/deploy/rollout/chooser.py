"""The choice between champion and challenger for each request of a split, made in the server's process."""

import random
from typing import TYPE_CHECKING

from lemnis.engine.deploy.rollout.records import Split
from lemnis.engine.deploy.rollout.sticky import Headers, is_challengers, request_key

if TYPE_CHECKING:
    from lemnis.engine.deploy.serving import Served


class Chooser:
    """Says which version answers a request; the same key gets the same one in every process."""

    def __init__(self, split: Split, challenger: "Served") -> None:
        self.split, self.challenger = split, challenger
        self._salt, self._share = split.salt, split.share
        self._chance = random.Random()

    def choose(self, champion: "Served", headers: Headers, body: bytes) -> "Served":
        """Return the version that answers a request; one without a key falls by chance.

        Args:
            champion: The other version.
            headers: With lower-case names.
            body: As it was sent.
        """
        content_type, length = b"", None
        for name, value in headers:
            if name == b"content-type":
                content_type = value
            elif name == b"inference-header-content-length" and value.isdigit():
                length = int(value[:12])
        head = body if length is None else body[:length]
        is_csv = content_type.partition(b";")[0].strip().lower() == b"text/csv"
        key = request_key(self.split.key, headers, head, csv_body=is_csv)
        if key:
            return self.challenger if is_challengers(key, self._salt, self._share) else champion
        return self.challenger if self._chance.random() < self._share else champion
