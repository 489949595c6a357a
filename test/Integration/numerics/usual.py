"""Masks and lengths that cases of several files have."""

from masks import causal, document, intersection, sliding_window

near = sliding_window(left=10, right=3)
packed = intersection(causal, document)
# Lengths of sequences, of which some are none that there can be.
LENGTHS = (97, 1, 0, 50, 200, 64, -3, 33)
OTHERS = (97, 1, 40, 64, 48, 80, 5, 0)
