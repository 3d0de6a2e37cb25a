"""What the tests of text share."""

import threading

import pytest
from serving import Server


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(shared_cache, monkeypatch):
    """A cache that the tests of a process share."""
    monkeypatch.setenv("SEMEQV_CACHE", str(shared_cache))
    return shared_cache


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
