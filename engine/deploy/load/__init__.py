"""Load tests: a server of its own for one version, asked over HTTP, so that no figure touches what is served."""
