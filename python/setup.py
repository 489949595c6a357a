"""Puts the runtime library into the wheel where one has been built.

It is taken from SPARSE_ATTN_RUNTIME, or from ../build/lib, where the project's own
build leaves it. Without one the package is pure Python and finds the library when
it is imported (sparse_attn/_library.py). No compiler is run.
"""

import os
import pathlib
import platform
import shutil
import sys

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

NAME = "libSparseAttnRuntime.so"


def find_runtime():
    named = os.environ.get("SPARSE_ATTN_RUNTIME")
    if named:
        if not os.path.isfile(named):
            sys.exit(f"SPARSE_ATTN_RUNTIME names {named}, which is not a file")
        return pathlib.Path(named)
    built = pathlib.Path(__file__).resolve().parent.parent / "build" / "lib" / NAME
    return built if built.is_file() else None


class BuildWithRuntime(build_py):
    def run(self):
        super().run()
        target = pathlib.Path(self.build_lib) / "sparse_attn" / NAME
        # What an earlier build has left.
        target.unlink(missing_ok=True)
        runtime = find_runtime()
        if runtime:
            shutil.copyfile(runtime.resolve(), target)


class PlatformWheel(bdist_wheel):
    """With the library it is for one platform, but for any Python."""

    def finalize_options(self):
        super().finalize_options()
        if find_runtime():
            self.root_is_pure = False

    def get_tag(self):
        if self.root_is_pure:
            return super().get_tag()
        return "py3", "none", f"linux_{platform.machine()}"


setup(cmdclass={"build_py": BuildWithRuntime, "bdist_wheel": PlatformWheel})
