"""Attention compiled by sparse-attn-compile --emit=iree, and then by IREE."""

import os
import pathlib
import subprocess
import sys

import iree.compiler
import iree.runtime
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "numerics"))

TOOL = os.environ.get("SPARSE_ATTN_COMPILE", "sparse-attn-compile")
# The level that every machine with AVX2 runs.
LEVEL = "x86-64-v3"
TIMEOUT_SECONDS = 120
FLAGS = [
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    # IREE's own code for the model around.
    f"--iree-llvmcpu-target-cpu={LEVEL}",
]


def export(text, folder, target=LEVEL, *options):
    """Writes what IREE takes into the folder; what the tool says on errors."""
    source = folder / "module.mlir"
    source.write_text(text)
    done = subprocess.run(
        [TOOL, str(source), f"--target={target}", "--emit=iree", "-o", str(folder), *options],
        capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stderr


def compile_file(path, *flags, device=FLAGS):
    """A file of MLIR as IREE's module; what the file names is looked for beside it."""
    return iree.compiler.compile_file(
        str(path), input_type="auto",
        extra_args=[*device, f"--iree-hal-executable-object-search-path={path.parent}", *flags],
    )


class Module:
    """A compiled module on IREE's threads."""

    def __init__(self, binary):
        config = iree.runtime.Config("local-task")
        module = iree.runtime.VmModule.copy_buffer(config.vm_instance, binary)
        self.context = iree.runtime.SystemContext(config=config)
        self.context.add_vm_module(module)
        self.name = module.name

    def __call__(self, function, *arrays):
        results = self.context.modules[self.name][function](*arrays)
        results = results if isinstance(results, (tuple, list)) else [results]
        return [np.asarray(result.to_host()) for result in results]
