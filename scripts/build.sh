#!/usr/bin/env bash
# Configures and builds into build/. Arguments go to ninja.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

options=()
if [[ -x .venv/bin/python ]]; then
  options+=("-DPython3_EXECUTABLE=$PWD/.venv/bin/python")
fi
cmake --preset default "${options[@]}"
ninja -C build "$@"
