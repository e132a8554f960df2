"""The ways into the archive that the contract suite runs over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.houses import WAYS, House, house


@pytest.fixture(scope="module", params=WAYS)
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The archive, entered each way in turn; what a test makes in it has numbers of its own."""
    with house(request.param, tmp_path_factory.mktemp("house")) as found:
        yield found
