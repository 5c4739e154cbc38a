#!/usr/bin/env bash
# Makes the environment of walkthrough.ipynb on the volume, and its kernel "Verdict"; does no step twice.
#
#     bash training/jobs/notebook/environment.sh /home/ec2-user/SageMaker
set -euo pipefail

volume=$1
project=$(cd "$(dirname "$0")/../../.." && pwd)
venv="$volume/.verdict-venv"
state=$(cat "$project"/requirements/*.txt "$project/training/jobs/notebook/requirements.txt" | sha256sum)

python_of_the_machine() {
  for name in python3.13 python3.12 python3.11; do
    command -v "$name" && return
  done
  conda=$(command -v conda || echo "$HOME/anaconda3/bin/conda")
  "$conda" create --yes --quiet --prefix "$volume/.verdict-python" python=3.12 >&2
  echo "$volume/.verdict-python/bin/python"
}

if [ "$(cat "$venv/.ready" 2>/dev/null)" != "$state" ]; then
  [ -x "$venv/bin/python" ] || "$(python_of_the_machine)" -m venv "$venv"
  torch=$(grep '^torch' "$project/requirements/train.txt")
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$torch" \
    --index-url https://download.pytorch.org/whl/cpu
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    -c "$project/requirements/constraints.txt" -r "$project/training/jobs/notebook/requirements.txt"
  echo "$state" >"$venv/.ready"
fi
# Kernels lie outside the volume, so a restart forgets them. Downloads and trainings stay on the volume.
# The notebook imports our packages from the root, and Chalice's app from its own folder.
"$venv/bin/python" -m ipykernel install --user --name verdict --display-name Verdict \
  --env VERDICT_CACHE "$volume/verdict-cache" --env PYTHONPATH "$project:$project/chalice_app"
echo "verdict: open verdict/training/jobs/walkthrough.ipynb with the kernel Verdict"
