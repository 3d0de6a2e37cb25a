"""What the tests of text share: a cache of their own."""

import pytest


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(shared_cache, monkeypatch):
    """A cache that the tests of a process share, and no data but what they write."""
    monkeypatch.setenv("SEMEQV_CACHE", str(shared_cache))
    monkeypatch.delenv("SEMEQV_DATA", raising=False)
    return shared_cache
