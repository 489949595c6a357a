"""Our kernels, behind the few lines that the benchmark needs of them.

RuntimeKernels launches packages through the Python package `sparse_attn`. ToolKernels
computes the same functions with sparse-attn-run on a CPU, by its CPU path or in the
emulator, so that everything around the kernels is tested without a GPU.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any, Protocol

import numpy as np
import torch

from packages import BenchError, Build

NUMPY_TYPES = {"f16": np.float16, "bf16": np.float32, "f32": np.float32}


class Kernel(Protocol):
    """One attention. `out` is written, `workspace` is scratch memory in bytes."""

    def workspace_bytes(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> int: ...

    def __call__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor,
                 out: torch.Tensor, workspace: torch.Tensor) -> None: ...


class Kernels(Protocol):
    """The functions of a package by name; with `variant`, those of that package."""

    def find(self, function: str, variant: str | None = None) -> Kernel: ...


class RuntimeKernels:
    """Packages, on the device where the tensors are: the GPU, or the CPU where the
    package has code for it."""

    def __init__(self, build: Build) -> None:
        folder = (build.directory / "lib").resolve()
        # The library beside the packages is the one they were built with.
        os.environ.setdefault("SPARSE_ATTN_RUNTIME", str(folder / "libSparseAttnRuntime.so"))
        sys.path.insert(0, str(folder))
        try:
            import sparse_attn
        except ImportError as error:
            raise BenchError(f"the Python package sparse_attn cannot be imported: {error};"
                             f" it belongs into {folder}") from None
        self._load = sparse_attn.load
        self._build = build
        self._packages: dict[str | None, Any] = {}

    def find(self, function: str, variant: str | None = None) -> Kernel:
        if variant not in self._packages:
            folder = (self._build.package if variant is None
                      else self._build.variant_package(variant))
            self._packages[variant] = self._load(str(folder))
        return _RuntimeKernel(self._packages[variant][function])


class _RuntimeKernel:
    def __init__(self, function: Any) -> None:
        self._function = function

    def workspace_bytes(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> int:
        return self._function.workspace_bytes(q, k, v)

    def __call__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor,
                 out: torch.Tensor, workspace: torch.Tensor) -> None:
        scratch = workspace if workspace.numel() else None
        self._function(q, k, v, out=out, workspace=scratch)


class ToolKernels:
    """The same functions by sparse-attn-run, on this CPU."""

    def __init__(self, build: Build, tool: pathlib.Path, device: str) -> None:
        self._build, self._tool, self._device = build, tool, device

    def find(self, function: str, variant: str | None = None) -> Kernel:
        if function not in self._build.functions:
            raise BenchError(f"no function {function} in {self._build.module}")
        # A variant computes the same; the tool takes no tiles of its own.
        return _ToolKernel(self._build, function, self._tool, self._device)


class _ToolKernel:
    def __init__(self, build: Build, function: str, tool: pathlib.Path, device: str) -> None:
        # A module of its own: the tool compiles all that is in a file.
        self._text = build.functions[function].text()
        self._tool, self._device = tool, device
        self._dtype = build.functions[function].dtype

    def workspace_bytes(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> int:
        return 256  # the tool brings its own; as if it were a kernel that needs some

    def __call__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor,
                 out: torch.Tensor, workspace: torch.Tensor) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "kernel.mlir").write_text(self._text)
            command = [str(self._tool), str(folder / "kernel.mlir"), "--threads=1",
                       f"--device={self._device}", f"--output={folder / 'o.npy'}"]
            for letter, tensor in zip("qkv", (q, k, v)):
                array = tensor.float().numpy().astype(NUMPY_TYPES[self._dtype])
                np.save(folder / f"{letter}.npy", array)
                command.append(f"--input={folder / letter}.npy")
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"sparse-attn-run: {done.stderr.strip()}")
            out.copy_(torch.from_numpy(np.load(folder / "o.npy")))
