"""One package in many threads."""

import threading

import numpy as np
import sparse_attn
from conftest import random


def test_threads_share_a_package(directory):
    cases = []
    with sparse_attn.load(directory) as package:
        for i in range(8):
            shape = (1, 2, 40 + 7 * i, 64)
            tensors = [random(shape, seed=10 * i + j) for j in range(3)]
            cases.append((tensors, package["longformer"](*tensors)))
    failures = []
    # Loaded by whoever comes first.
    package = sparse_attn.load(directory)
    start = threading.Barrier(len(cases))

    def work(tensors, expected):
        start.wait()
        for _ in range(20):
            o, lse = package(*tensors)
            if not (np.array_equal(o, expected[0]) and np.array_equal(lse, expected[1])):
                failures.append("a result differs")
            try:
                package["longformer"](tensors[0], tensors[1][:, :, 1:].copy(), tensors[2])
                failures.append("no error")
            except sparse_attn.WrongShapeError as error:
                # Messages are each thread's own.
                size = tensors[2].shape[2]
                if f"has size {size} in" not in str(error):
                    failures.append(str(error))

    threads = [threading.Thread(target=work, args=case) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    package.close()
    assert not failures
