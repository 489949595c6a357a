#!/usr/bin/env bash
# Builds the runtime library and a wheel of the Python package with it, into
# build/wheel/. Arguments go to `pip wheel`; with --no-build-isolation the
# setuptools of this Python is used, and no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/build.sh SparseAttnRuntime
python=python3
[[ ! -x .venv/bin/python ]] || python=.venv/bin/python
rm -rf build/wheel
"$python" -m pip wheel --no-deps --wheel-dir build/wheel "$@" ./python
ls build/wheel/*.whl
