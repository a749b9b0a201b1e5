"""The version of Lemnis, said once."""

VERSION = "0.1.0"
