# lit's configuration of the GoogleTest programs in the build folder's unit/:
# every test of every program counts as one.

import os

import lit.formats


class GoogleTest(lit.formats.GoogleTest):
    """Fails, where lit's own only warns, for a program that lists no tests."""

    def get_num_tests(self, path, lit_config, local_config):
        count = super().get_num_tests(path, lit_config, local_config)
        if not count:
            lit_config.error(f"{path} lists no tests")
        return count


config.name = "SparseAttn-Unit"
config.test_format = GoogleTest(".", "Tests")
config.suffixes = []
config.test_source_root = config.test_exec_root = os.path.join(
    config.build_root, "unit"
)
for name in ["ASAN_OPTIONS", "UBSAN_OPTIONS"]:
    if name in os.environ:
        config.environment[name] = os.environ[name]
