# lit's configuration of the GoogleTest programs in the build folder's unit/:
# every test of every program counts as one.

import glob
import os
import subprocess

import lit.formats

config.name = "SparseAttn-Unit"
config.test_format = lit.formats.GoogleTest(".", "Tests")
config.suffixes = []
config.test_source_root = config.test_exec_root = os.path.join(
    config.build_root, "unit"
)
for name in [
    "ASAN_OPTIONS", "UBSAN_OPTIONS", "SPARSE_ATTN_FUZZ_CASES",
    "SPARSE_ATTN_FUZZ_LIMIT", "SPARSE_ATTN_FUZZ_SEED"
]:
    if name in os.environ:
        config.environment[name] = os.environ[name]

# A program that cannot list its tests is an error; to lit it is a warning.
programs = glob.glob(os.path.join(config.test_source_root, "*Tests"))
for program in programs:
    listed = subprocess.run([program, "--gtest_list_tests"], stdout=subprocess.DEVNULL)
    if listed.returncode != 0:
        lit_config.error(f"{program} cannot list its tests")
if not programs:
    lit_config.error("no GoogleTest program is built")
