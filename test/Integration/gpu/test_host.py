# RUN: %pytest %s
"""What the host does: allocate, launch kernels, and nothing with the data.

In the emulator the host can read what kernels wrote; beside a GPU it cannot.
"""

import re
import subprocess

import pytest
from attention import Case, module_text
from kernels import compare, run_kernel
from masks import causal, full, longformer, random

# With one head, or one tile, loops of one iteration must still become kernels.
CASES = {
    "causal": Case(causal, sq=97, batch=2),
    "heavy-rows": Case(longformer(16, [0]), sq=200, batch=2),
    "random": Case(random(16, 2), sq=97, batch=2),
    "one-tile": Case(causal, sq=40, heads=1, batch=1),
    "one-head-heavy-rows": Case(
        longformer(16, [0]), sq=129, d=96, heads=1, batch=1, dtype="bf16"
    ),
    "one-head-random": Case(random(16, 2), sq=97, heads=1, batch=1),
    "one-head-first-tile": Case(
        full, sq=65, sk=513, d=160, dv=64, heads=1, batch=1, dtype="bf16"
    ),
}
ON_HOST = re.compile(r"(memref\.(load|store|copy)|vector\.\w+|scf\.\w+|math\.\w+)\b")


@pytest.mark.parametrize("name", CASES)
def test_host_touches_no_data(name):
    done = subprocess.run(
        ["sparse-attn-opt", "-", "--sparse-attn-nvvm-pipeline=emit=nvvm"],
        input=module_text(CASES[name]), capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    host = done.stdout.split("gpu.module")[0]
    assert "gpu.launch_func" in host
    assert not ON_HOST.search(host), ON_HOST.search(host)[0]


@pytest.mark.parametrize("name", CASES)
def test_result_is_right(name):
    compare(CASES[name], run_kernel(CASES[name], 1))
