"""Hypothesis draws the same examples in every run (HYPOTHESIS_PROFILE=explore draws new ones); nobody's own prices count."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile

import pytest
from hypothesis import settings

from estimator.pricing.folders import FOLDER_VARIABLE

settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# Set when this file is read, before any test, doctest or fixture: every process that a test starts has it from here. The
# workers of xdist have it from the process that started them.
if "PYTEST_XDIST_WORKER" not in os.environ:
    _folder = tempfile.mkdtemp(prefix="estimator-no-refreshed-prices-")
    os.environ[FOLDER_VARIABLE] = _folder
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command line in this process: a new one for each call takes seconds."""
    from estimator.cli import main

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["estimator", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, ended.value.code or 0, said.out, said.err)

    return call


@pytest.fixture(scope="module")
def moto_address():
    """Where moto's server answers for AWS."""
    from moto import server

    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield "http://{}:{}".format(*running.get_host_and_port())
    running.stop()
