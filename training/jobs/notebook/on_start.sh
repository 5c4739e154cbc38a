# Prepares a notebook instance at each start: its environment, and the watch that stops it when idle.
#
# notebook_instance.py adds the first lines, which set IDLE_MINUTES, INSTANCE, REGION and STOP_WHEN_IDLE. The last
# is stop_when_idle.py in base64, so the watch works even if the project on the volume is gone. AWS runs this as
# root for at most five minutes, so the environment is made in the background.
set -euo pipefail

user=${VERDICT_USER:-ec2-user}
volume=${VERDICT_VOLUME:-/home/ec2-user/SageMaker}
system=${VERDICT_SYSTEM:-}

watch="$system/usr/local/bin/stop_when_idle.py"
mkdir -p "$(dirname "$watch")"
echo "$STOP_WHEN_IDLE" | base64 --decode >"$watch"
command="/usr/bin/python3 $watch --minutes $IDLE_MINUTES --instance $INSTANCE --region $REGION"
if [ -d "$system/etc/cron.d" ] && command -v crond >/dev/null; then
  {
    echo "PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/bin"
    echo "*/5 * * * * root $command >>/var/log/verdict-idle.log 2>&1"
  } >"$system/etc/cron.d/verdict-idle"
else # Amazon Linux 2023 has no cron
  systemd-run --unit=verdict-idle --on-active=300 --on-unit-active=300 $command
fi
echo "verdict: stops after $IDLE_MINUTES idle minutes"

environment="$volume/verdict/training/jobs/notebook/environment.sh"
if [ -f "$environment" ]; then
  nohup sudo -u "$user" bash "$environment" "$volume" >"$volume/verdict-environment.log" 2>&1 &
  echo "verdict: making the environment; see $volume/verdict-environment.log"
else
  echo "verdict: no project in $volume/verdict, so no environment"
fi
