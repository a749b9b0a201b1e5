"""The server's own description, and what a fuzzer makes of it: no 500, nothing that is not JSON, no hang."""

# schemathesis is typed in part.
# pyright: reportUnknownVariableType=false, reportUntypedFunctionDecorator=false

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error

CALLS = 10


@pytest.fixture(scope="module")
def described(server: Any) -> Any:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/docs")


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(max_examples=CALLS, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@pytest.mark.slow
def test_whatever_fits_the_description_or_not_is_answered(case: Any) -> None:
    response = case.call(timeout=10)
    case.validate_response(response, checks=[not_a_server_error])
    assert "Traceback" not in response.text
    if response.status_code >= 400 and response.headers.get("content-type") == "application/json":
        assert list(response.json()) == ["error"]
