#!/usr/bin/env bash
# carry.sh FOLDER [VERSION]: fills FOLDER with all that a campaign needs on a machine that has nothing but Python VERSION
# (3.12): x86-64, no network, no TensorFlow, no compiler. There: FOLDER/run.sh SECONDS JOBS FIRST_SEED OUTPUT.
#
#   site.tar.xz   NumPy, FlatBuffers and ai-edge-litert as requirements.txt pins them, without what only NPUs and GPUs need
#   source.tar    mcpruner with the plugin that `make build` made, and the campaign
set -euo pipefail
cd "$(dirname "$0")/../.."
folder="$1" version="${2:-3.12}"
stage="$(mktemp -d)"
trap 'rm -rf "$stage"' EXIT
mkdir -p "$folder"

if [[ ! -f "$folder/site.tar.xz" ]]; then
  platforms=()
  for glibc in 28 27 17; do platforms+=(--platform "manylinux_2_${glibc}_x86_64"); done
  grep -iE '^(ai-edge-litert|backports.strenum|flatbuffers|ml_dtypes|numpy|protobuf|tqdm|typing_extensions)==' \
    requirements.txt | sed 's/ \\$//' > "$stage/requirements.txt"  # the hashes are another Python's
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --only-binary=:all: \
    --python-version "$version" --implementation cp "${platforms[@]}" --platform manylinux2014_x86_64 \
    --target "$stage/site" -r "$stage/requirements.txt"
  rm -rf "$stage"/site/ai_edge_litert/{vendors,tools,libLiteRtWebGpuAccelerator.so} "$stage"/site/bin
  find "$stage/site" -type d -name tests -prune -exec rm -rf {} +
  tar -C "$stage/site" -cJf "$folder/site.tar.xz" .
fi

mkdir -p "$stage/source/mcpruner" "$stage/source/tests"
cp -r python/mcpruner/. "$stage/source/mcpruner"
rm -f "$stage"/source/mcpruner/_native*.so
cp -r converter "$stage/source/mcpruner/converter"
cp -r tests/campaign tests/tflite_builder.py "$stage/source/tests"
find "$stage/source" -name __pycache__ -prune -exec rm -rf {} +
tar -C "$stage/source" -cf "$folder/source.tar" .

cat > "$folder/run.sh" <<'RUN'
#!/usr/bin/env bash
# run.sh SECONDS JOBS FIRST_SEED OUTPUT: a campaign of random graphs; its journal and log go to the folder OUTPUT.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
site="${CAMPAIGN_SITE:-/tmp/campaign-site}"
rm -rf "$site"
mkdir -p "$site" "$4"
tar -C "$site" -xJf "$here/site.tar.xz"
tar -C "$site" -xf "$here/source.tar"
export PYTHONPATH="$site" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
hours="$(awk "BEGIN { print $1 / 3600 }")"
"${PYTHON:-python3}" "$site/tests/campaign/campaign.py" --hours "$hours" --jobs "$2" --first-seed "$3" --journal "$4" 2>&1 |
  tee "$4/campaign.log"
RUN
chmod +x "$folder/run.sh"
du -sh "$folder"
