"""Rotation torture, a short run: everything at once, then the auditor. `make torture SECONDS=600` for more."""

import os

import pytest

from torture.round import Round

# The same plan in every run of the suite; what meets what still differs. `make torture` draws new ones.
SEED = int(os.environ.get("SLUICE_SEED") or 20261128)
SECONDS = 5


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["follow", "once", "mixed"])
@pytest.mark.parametrize("aggregate", ["none", "lines", "kpl"])
def test_no_line_is_lost_and_none_doubled_without_cause(scenario, aggregate, mode):
    seed = SEED + 3 * ("none", "lines", "kpl").index(aggregate) + ("follow", "once", "mixed").index(mode)
    print("SLUICE_SEED=%d" % SEED)
    one = Round(scenario, seed, aggregate=aggregate, mode=mode)
    counts = one.run(SECONDS).counts
    print(dict(counts))
    assert counts["lines"] > 200 and counts["runs"] > 2
