"""What the tests of Backpacks share."""

import pytest


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(shared_cache, monkeypatch):
    """A cache that the tests of a process share."""
    monkeypatch.setenv("SEMEQV_CACHE", str(shared_cache))
    return shared_cache
