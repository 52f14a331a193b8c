#!/usr/bin/env bash
# Installs what running aarch64 code on another machine takes: Debian's cross compiler and qemu, and .venv-aarch64 with
#     sysroot/                         an arm64 Debian userland with Python 3.11, unpacked only
#     profile/                         the same as qemu shows it to a program: with the /proc/cpuinfo of a Kirin 970
#     ai_edge_litert/, tflite_runtime/ Python packages of each TFLite runtime
# Does nothing, in a second, where all of it stands. Nothing that is installed here runs while it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tools/packages.sh

readonly PACKAGES=(binutils-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user)
readonly ARM_PACKAGES=(libc6 libgcc-s1 libstdc++6 python3.11 python3.11-minimal zlib1g)
# The package under test needs these, and they need the others.
readonly PYTHON_PACKAGES=(ai-edge-litert flatbuffers numpy rich
  backports.strenum markdown-it-py mdurl ml_dtypes protobuf Pygments tqdm typing_extensions)
readonly ENVIRONMENT=.venv-aarch64

# A private apt: this machine's mirrors and keys, another architecture, and a status file that lists nothing, so that
# every dependency is fetched. The machine's own package database is neither read nor written.
apt_configuration() {
  local apt="$1" mirror release
  mirror="$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "main" && $1 !~ /security/ { print $1; exit }')"
  release="$(. /etc/os-release && echo "$VERSION_CODENAME")"
  mkdir -p "$apt"/{lists/partial,archives/partial,etc/apt.conf.d,etc/preferences.d}
  : >"$apt/status"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$release" \
    >"$apt/sources.list"
  cat >"$apt/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Debug::NoLocking "true";
Dir::Etc "$apt/etc";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
CONF
}

make_sysroot() {
  local sysroot="$1" apt="$PWD/$1.apt" package
  say "unpacking an arm64 Debian userland into $sysroot"
  apt_configuration "$apt"
  APT_CONFIG="$apt/apt.conf" apt-get -qq update
  APT_CONFIG="$apt/apt.conf" apt-get -qq -y --download-only install "${ARM_PACKAGES[@]}" >/dev/null
  mkdir -p "$sysroot"
  for package in "$apt"/archives/*.deb; do dpkg-deb -x "$package" "$sysroot"; done
  rm -rf "$apt"
}

# pinned PACKAGE...: their lines of requirements.txt, with the hashes that follow.
pinned() {
  local package
  for package in "$@"; do sed -n "/^$package==/,/[^\\\\]\$/p" requirements.txt; done
}

# make_packages FOLDER REQUIREMENTS: aarch64 wheels, unpacked by this machine's pip.
make_packages() {
  local folder="$1" requirements="$2" glibc platforms=()
  say "installing aarch64 wheels into $folder"
  for glibc in 35 34 31 28 27 26 24 17; do platforms+=(--platform "manylinux_2_${glibc}_aarch64"); done
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --no-warn-conflicts --only-binary=:all: \
    --target "$folder" --python-version 311 --implementation cp --abi cp311 --abi abi3 --abi none \
    "${platforms[@]}" --platform manylinux2014_aarch64 --require-hashes --requirement "$requirements"
}

main() {
  local wanted
  install_packages "${PACKAGES[@]}"
  wanted="$(cat requirements*.txt tools/aarch64/{setup.sh,profile.py} | sha256sum)"
  if [[ "$(cat "$ENVIRONMENT/.setup-stamp" 2>/dev/null)" != "$wanted" ]]; then
    rm -rf "$ENVIRONMENT"
    mkdir "$ENVIRONMENT"
    make_sysroot "$ENVIRONMENT/sysroot"
    .venv/bin/python tools/aarch64/profile.py "$ENVIRONMENT/sysroot" "$ENVIRONMENT/profile"
    pinned "${PYTHON_PACKAGES[@]}" >"$ENVIRONMENT/requirements.txt"
    make_packages "$ENVIRONMENT/ai_edge_litert" "$ENVIRONMENT/requirements.txt"
    make_packages "$ENVIRONMENT/tflite_runtime" requirements-tflite-runtime.txt
    printf '%s\n' "$wanted" >"$ENVIRONMENT/.setup-stamp"
  fi
  say "ready for aarch64"
}

main
