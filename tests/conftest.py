"""Hypothesis draws the same examples in every run (HYPOTHESIS_PROFILE=explore draws new ones); nobody's own prices count."""

import atexit
import os
import shutil
import tempfile

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
