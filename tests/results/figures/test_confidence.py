import numpy
import pytest

from semeqv.results.figures.curves import mean_and_halfwidth, pad
from semeqv.results.statistics import t95


@pytest.mark.parametrize(("degrees", "point"), [(1, 12.7062), (4, 2.7764), (20, 2.0860), (21, 2.0796), (60, 2.0003)])
def test_points_of_t(degrees, point):
    assert t95(degrees) == pytest.approx(point, abs=2e-4)


def test_mean_and_interval_of_runs_of_different_length():
    stacked = pad([numpy.array([1.0, 2.0, 7.0]), numpy.array([3.0, 4.0])])
    mean, half = mean_and_halfwidth(stacked)
    assert mean.tolist() == [2, 3, 7]
    # Two runs two apart: standard error 1, times t with one degree of freedom.
    assert half[:2] == pytest.approx([12.7062, 12.7062])
    assert numpy.isnan(half[2])


def test_where_no_run_has_a_record_there_is_no_mean():
    mean, half = mean_and_halfwidth(numpy.array([[1.0, numpy.nan], [1.0, numpy.nan]]))
    assert mean[0] == 1
    assert half[0] == 0
    assert numpy.isnan([mean[1], half[1]]).all()
