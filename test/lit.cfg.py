# lit's configuration of the tests in this folder. Paths come from
# lit.site.cfg.py, which CMake writes into the build folder.

import os
import sys

import lit.formats

config.name = "SparseAttn"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build_root, "test")

# A quick run, scripts/test.sh --quick, takes 3 minutes at most on 2 cores. What takes
# long is left out, and so is what reads back each dump of each pass, which of our own
# operations IR/roundtrip.mlir does as well.
if lit_config.params.get("quick"):
    config.excludes += [
        "Bench", "Python",
        "attention", "kernels", "ptx",
        "examples", "gpu", "numerics", "determinism.test", "dumps.test", "embed.test",
        "fuzz.test",
    ]

# The project's tools; FileCheck, not, split-file, mlir-opt from LLVM; and ptxas and
# nvdisasm as scripts/install-deps.sh has installed them, before any other.
venv = os.path.join(config.source_root, ".venv", "bin")
config.environment["PATH"] = os.pathsep.join(
    [
        os.path.join(config.build_root, "bin"),
        config.llvm_tools_dir,
        os.path.dirname(os.path.realpath(os.path.join(venv, "ptxas"))),
        config.environment["PATH"],
    ]
)
for name in ["ASAN_OPTIONS", "UBSAN_OPTIONS", "OMP_NUM_THREADS"]:
    if name in os.environ:
        config.environment[name] = os.environ[name]

# The Python that has NumPy and PyTorch, where it is installed.
python = os.path.join(venv, "python")
config.substitutions += [
    ("%pytest", f"%python {os.path.dirname(__file__)}/run_pytest.py"),
    ("%python", python if os.path.exists(python) else sys.executable),
    # A PATH of nothing but the project's tools.
    ("%tools_dir", os.path.join(config.build_root, "bin")),
    ("%examples", os.path.join(config.source_root, "examples")),
    ("%build", config.build_root),
    ("%source", config.source_root),
    ("%llvm", os.path.dirname(config.llvm_tools_dir)),
    ("%cmake_compilers", config.cmake_compilers),
]
