# Unpacks the project onto the volume of a new notebook instance.
#
# notebook_instance.py adds the first lines, which set BUNDLE (s3://...) and BUNDLE_SHA256. AWS runs this as root
# for at most five minutes; on_start.sh starts the longer work.
set -euo pipefail

user=${VERDICT_USER:-ec2-user}
volume=${VERDICT_VOLUME:-/home/ec2-user/SageMaker}
packed=$(mktemp)

aws s3 cp --only-show-errors "$BUNDLE" "$packed"
echo "$BUNDLE_SHA256  $packed" | sha256sum --check --quiet
chmod a+r "$packed"
sudo -u "$user" mkdir -p "$volume/verdict"
sudo -u "$user" tar -xzf "$packed" -C "$volume/verdict"
rm "$packed"
echo "verdict: the project is in $volume/verdict"
