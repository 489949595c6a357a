#!/usr/bin/env bash
# Installs what a build needs on Debian 12; with --tests also what sanitizers need,
# and, in .venv, the Python packages that the tests and benchmarks compare with, and
# NVIDIA's assembler and driver header. What is installed already is left alone, and then
# neither root nor a network is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(
  cmake ninja-build ccache git python3 python3-venv
  llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools
  clang-22 clang-format-22 clang-tidy-22 lld-22
  # Named by LLVM's CMake package.
  libzstd-dev zlib1g-dev libcurl4-openssl-dev libedit-dev
  libomp-22-dev libboost-context-dev libgtest-dev libbenchmark-dev
  nlohmann-json3-dev
)
# With --tests.
test_packages=(libclang-rt-22-dev pkgconf)
python_packages=(numpy pytest torch mypy setuptools)
torch_version=2.13.0
# Of bench/requirements.txt.
bench_packages=(matplotlib transformers)
# The compiler and the runtime of IREE, the versions that docs/IREE.md names.
iree_packages=(iree-base-compiler==3.13.0 iree-base-runtime==3.13.0)
# ptxas, of the version that test/GPU/ptx/resources.json was made by, nvdisasm, and
# cuda.h: what is needed of a CUDA toolkit, without the packages these depend on.
cuda_packages=(
  nvidia-cuda-nvcc==13.0.88 nvidia-cuda-runtime==13.0.96 nvidia-cuda-nvdisasm==13.2.86
)

fail() {
  echo "install-deps: $*" >&2
  exit 1
}

is_installed() {
  [[ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" == *"ok installed" ]]
}

as_root() {
  if [[ "$(id -u)" -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "packages are missing and this user is neither root nor has sudo;" \
         "as root, run: apt-get install ${missing[*]}"
  fi
}

install_packages() {
  command -v dpkg-query >/dev/null ||
    fail "this script knows Debian's packages only; install these yourself:" \
         "${packages[*]}"
  local missing=() unknown=() package
  for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return

  as_root apt-get update
  for package in "${missing[@]}"; do
    [[ -n "$(apt-cache madison "$package")" ]] || unknown+=("$package")
  done
  [[ ${#unknown[@]} -eq 0 ]] ||
    fail "apt's sources have no ${unknown[*]}." \
         "LLVM 22's packages for Debian 12 must be in apt's sources:" \
         "Debian 12's own main and security archives have them all."
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"
}

# Of setuptools only what can build the Python package counts.
is_importable() {
  local code="import $1"
  [[ "$1" != setuptools ]] ||
    code+="; assert int(setuptools.__version__.split('.')[0]) >= 77"
  .venv/bin/python -c "$code" 2>/dev/null
}

install_python_packages() {
  # Packages of the system's Python count, so that none is fetched twice.
  [[ -x .venv/bin/python ]] || python3 -m venv --system-site-packages .venv
  local package
  for package in "${python_packages[@]}"; do
    is_importable "$package" && continue
    if [[ "$package" == torch ]]; then
      # Without CUDA where the package index has that build: it is 10 times
      # smaller.
      .venv/bin/python -m pip install "torch==$torch_version+cpu" ||
        .venv/bin/python -m pip install "torch==$torch_version"
    else
      .venv/bin/python -m pip install --upgrade "$package"
    fi
  done
  for package in "${bench_packages[@]}"; do
    .venv/bin/python -c "import $package" 2>/dev/null && continue
    .venv/bin/python -m pip install -r bench/requirements.txt
    break
  done
}

# Of packages that are given with a version exactly that one counts.
has_version() {
  .venv/bin/python -c "import importlib.metadata, sys
name, version = sys.argv[1].split('==')
sys.exit(importlib.metadata.version(name) != version)" "$1" 2>/dev/null
}

install_iree_packages() {
  local package
  for package in "${iree_packages[@]}"; do
    has_version "$package" || .venv/bin/python -m pip install "$package"
  done
}

# These are no modules.
install_cuda_packages() {
  local package
  for package in "${cuda_packages[@]}"; do
    has_version "$package" || .venv/bin/python -m pip install --no-deps "$package"
  done
  local root
  root=$(.venv/bin/python -c "import nvidia.cu13 as m; print(m.__path__[0])")
  ln -sfrn "$root/bin/ptxas" .venv/bin/ptxas
  ln -sfrn "$root/bin/nvdisasm" .venv/bin/nvdisasm
  ln -sfrn "$root/include" .venv/include/cuda
}

case "${1:-}" in
"") install_packages ;;
--tests)
  packages+=("${test_packages[@]}")
  install_packages
  install_python_packages
  install_iree_packages
  install_cuda_packages
  ;;
*) fail "unknown option $1; the only one is --tests" ;;
esac
