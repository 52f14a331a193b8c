#!/usr/bin/env bash
# Installs what is missing to build, test and run the project: Debian packages, .venv and .venv-tflite-runtime.
# Does nothing, in a second, where all of it stands. Run it as root, or as a user who may use sudo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/packages.sh

readonly PACKAGES=(bazel-bootstrap clang-19 default-jdk-headless flatbuffers-compiler g++ googletest libclang-rt-19-dev
  libflatbuffers-dev libhwy-dev llvm-19 nlohmann-json3-dev ocl-icd-libopencl1 oclgrind opencl-c-headers
  pocl-opencl-icd)
readonly PYTHON_PACKAGES=(python3 python3-dev python3-venv)

# Is this a Python 3.11 that can make virtual environments and carries its headers?
is_complete_python() {
  "$1" - 2>/dev/null <<'PY'
import ensurepip, os, sys, sysconfig, venv
sys.exit(sys.version_info[:2] != (3, 11) or not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))
PY
}

find_python() {
  local candidate
  for candidate in python3 python3.11 /usr/bin/python3; do
    if is_complete_python "$candidate"; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

# make_environment FOLDER REQUIREMENTS PYTHON: the stamp in FOLDER holds what was installed there last.
make_environment() {
  local folder="$1" requirements="$2" python="$3" stamp="$1/.setup-stamp" wanted
  wanted="$(sha256sum <"$requirements")"
  if [[ "$(cat "$stamp" 2>/dev/null)" == "$wanted" ]] && is_complete_python "$folder/bin/python"; then
    return 0
  fi
  if ! is_complete_python "$folder/bin/python"; then
    say "making $folder with $python"
    "$python" -m venv --clear "$folder"
  fi
  say "installing $requirements into $folder (a few minutes the first time)"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
  printf '%s\n' "$wanted" >"$stamp"
}

main() {
  local python
  install_packages "${PACKAGES[@]}"
  python="$(find_python)" || {
    install_packages "${PYTHON_PACKAGES[@]}"
    python="$(find_python)" || fail "Python 3.11 is needed (TFLite's wheels are built for it); found only: $(
      python3 --version 2>&1
    ). Put a Python 3.11 with its headers first on the path, or use Debian 12."
  }
  make_environment .venv requirements.txt "$python"
  make_environment .venv-tflite-runtime requirements-tflite-runtime.txt "$python"
  say "ready"
}

main
