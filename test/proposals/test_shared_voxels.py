"""Voxels that proposals share, against sets."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.records import MaskProposals

N = 12
masks = st.lists(st.sets(st.integers(0, N - 1), min_size=1), max_size=6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(masks=masks)
def test_counts_and_holders_equal_those_of_sets(masks):
    voxels = tuple(np.array(sorted(m), np.int32) for m in masks)
    shared = SharedVoxels.of(MaskProposals(voxels, np.ones(len(masks)), ("object",) * len(masks)), N)
    assert shared.shared.tolist() == [[len(a & b) for b in masks] for a in masks]
    assert shared.sizes.tolist() == [len(m) for m in masks]
    for v in range(N):
        holders = shared.holders[shared.first[v] : shared.first[v + 1]].tolist()
        assert holders == [i for i, m in enumerate(masks) if v in m]
