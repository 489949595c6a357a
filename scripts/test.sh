#!/usr/bin/env bash
# Installs what is needed, builds, and runs all tests: GoogleTest, lit, and the
# comparisons with PyTorch; with --quick those of the GoogleTest and FileCheck
# tests, and of whole compilations, that do not take minutes. Ends with a line
# `N passed, N failed`. A test that did not run counts as failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
"") suite=check-sparse-attn ;;
--quick) suite=check-sparse-attn-quick ;;
*)
  echo "test: unknown option $1; the only one is --quick" >&2
  exit 1
  ;;
esac
results=build/test/results.json

rm -f "$results"
scripts/install-deps.sh --tests
scripts/build.sh
status=0
ninja -C build "$suite" || status=$?
scripts/count-results.py "$results" || status=1
exit "$status"
