"""Our kernels behind the adapter, and the library that travels with them."""

import os
import re
import subprocess
import sys
import textwrap

import packages
import pytest
import torch
from cases import Case, random_inputs
from measuring import Ours
from devices import CpuDevice
from ours import RuntimeKernels, ToolKernels
from packages import BenchError

CPU = torch.device("cpu")
# The interface of python/sparse_attn that the benchmark uses.
FAKE = """\
import torch

class Function:
    def __init__(self, name):
        self.name = name

    def workspace_bytes(self, *tensors):
        return 64 if "longformer" in self.name else 0

    def __call__(self, q, k, v, *, out=None, workspace=None, stream=None):
        assert (workspace is None) == (self.workspace_bytes(q, k, v) == 0)
        assert workspace is None or workspace.numel() >= 64
        torch.manual_seed(0)
        out.copy_(q)

def load(directory):
    import pathlib
    assert (pathlib.Path(directory) / "manifest.json").exists()
    return {name: Function(name) for name in ("causal_bf16_d32", "longformer_bf16_d32")}
"""


@pytest.fixture
def fake_module(tmp_path, small_packages, monkeypatch):
    """A copy of the packages with a double of the Python package."""
    build = packages.read_index(small_packages)
    copy = tmp_path / "copy"
    (copy / "lib" / "sparse_attn").mkdir(parents=True)
    for name in ("index.json", "package", "variants"):
        (copy / name).symlink_to(small_packages / name)
    (copy / "lib" / "sparse_attn" / "__init__.py").write_text(textwrap.dedent(FAKE))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("SPARSE_ATTN_RUNTIME", raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == "sparse_attn"]:
        monkeypatch.delitem(sys.modules, name)
    yield packages.read_index(copy), build
    sys.modules.pop("sparse_attn", None)
    os.environ.pop("SPARSE_ATTN_RUNTIME", None)


@pytest.mark.parametrize("name, scratch", [("causal_bf16_d32", 0), ("longformer_bf16_d32", 64)])
def test_packages_are_called_with_output_and_workspace(fake_module, name, scratch):
    build, _ = fake_module
    kernels = RuntimeKernels(build)
    assert os.environ["SPARSE_ATTN_RUNTIME"].endswith("lib/libSparseAttnRuntime.so")
    assert os.path.isabs(os.environ["SPARSE_ATTN_RUNTIME"])
    case = Case(build.functions[name].pattern, "bf16", 1, 2, 2, 8, 32)
    inputs = random_inputs(case, CPU, 0)
    ours = Ours(kernels.find(name), inputs, CpuDevice())
    assert ours.workspace_bytes == scratch
    assert torch.equal(ours(inputs), inputs.q) and ours.memory_errors() == []


def test_variants_are_packages_of_their_own(fake_module):
    build, _ = fake_module
    kernels = RuntimeKernels(build)
    first = next(iter(build.variants))
    assert kernels.find("causal_bf16_d32", first) is not None


def test_a_missing_python_package_is_named(tmp_path, small_packages, monkeypatch):
    build = packages.read_index(small_packages)
    monkeypatch.setitem(sys.modules, "sparse_attn", None)  # as if it could not be found
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("SPARSE_ATTN_RUNTIME", "none")
    with pytest.raises(BenchError, match="sparse_attn cannot be imported"):
        RuntimeKernels(build)


@pytest.mark.parametrize("device", ["cpu", "emulator"])
def test_the_tool_computes_the_same_function(small_packages, build_tree, device):
    from checking import sample_rows
    from measuring import make_oracle

    build = packages.read_index(small_packages)
    kernels = ToolKernels(build, build_tree / "bin" / "sparse-attn-run", device)
    function = build.functions["longformer_bf16_d32"]
    case = Case(function.pattern, "bf16", 1, 2, 1, 97, 32)
    inputs = random_inputs(case, CPU, 0)
    ours = Ours(kernels.find(function.name), inputs, CpuDevice())
    oracle = make_oracle(case, case.pattern, inputs, sample_rows(1, 2, 97, CPU), CpuDevice())
    assert oracle.judge(ours(inputs))["within_goal"]
    with pytest.raises(BenchError, match="no function nothing"):
        kernels.find("nothing")


def test_the_tools_errors_are_shown(small_packages, build_tree):
    build = packages.read_index(small_packages)
    kernels = ToolKernels(build, build_tree / "bin" / "sparse-attn-run", "cpu")
    q = torch.zeros(1, 2, 8, 16, dtype=torch.bfloat16)  # heads of another size
    with pytest.raises(RuntimeError, match="sparse-attn-run: .*"):
        kernels.find("causal_bf16_d32")(q, q, q, q.clone(), torch.empty(0))


def test_the_library_runs_on_older_systems(small_packages):
    """It travels without its build machine: glibc 2.34 and the C++ library of GCC 11
    are those of 2021."""
    library = small_packages / "lib" / "libSparseAttnRuntime.so"
    listed = subprocess.run(["objdump", "-Tp", str(library)], capture_output=True, text=True,
                            check=True).stdout
    newest = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}
    found = re.findall(r"\b(GLIBC|GLIBCXX|CXXABI)_([\d.]+)", listed)
    assert found
    for name, version in found:
        assert tuple(map(int, version.split("."))) <= newest[name], f"{name}_{version}"
    needed = set(re.findall(r"NEEDED\s+(\S+)", listed))
    assert needed <= {"libstdc++.so.6", "libgcc_s.so.1", "libc.so.6", "libm.so.6",
                      "ld-linux-x86-64.so.2"}
