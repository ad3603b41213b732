#!/usr/bin/env bash
# Bring the dead letters of a queue back: replay.sh TARGET STACK QUEUE RUN EXPECT [OPTION...]. Without RUN it only
# looks; RUN is 'true' and EXPECT the number that the look printed. Only TARGET gcp asks Google; the others say what
# would be asked. REVIEW is the command that knows the stacks, PYTHON runs the replay. Needs the Google Cloud CLI with
# the login of somebody who belongs to a group of messaging.operators.
set -euo pipefail
target=$1 stack=$2 queue=$3 run=$4 expect=$5
shift 5
read -ra review <<<"${REVIEW:-.venv/bin/python -m review}"

refuse() {
  echo "replay: $1" >&2
  exit 2
}

case $target in
  sandbox | sandbox-cli | gcp) ;;
  *) refuse "TARGET must be sandbox, sandbox-cli or gcp, got '$target': name one of them" ;;
esac
if [[ -z $queue ]]; then
  refuse "QUEUE must name a queue, got nothing: add QUEUE=jobs"
fi
if [[ -n $run && $run != true ]]; then
  refuse "RUN must be 'true' or left out, got '$run': correct it"
fi
if [[ -n $expect && ! $expect =~ ^[1-9][0-9]{0,4}$ ]]; then
  refuse "EXPECT must be the number that the look printed, got '$expect': look again"
fi
if [[ -n $run && -z $expect ]]; then
  refuse "EXPECT must be the number that the look printed, got nothing: look first, without RUN"
fi
if [[ -z $run && -n $expect ]]; then
  refuse "RUN must be 'true' where EXPECT is given, got EXPECT=$expect alone: add RUN=true"
fi
names=$("${review[@]}" queue --stack "$stack" --target "$target" --queue "$queue" --command replay)
read -r project region topic subscription <<<"$names"
options=()
if [[ -n $run ]]; then
  options+=(--run --expect "$expect")
fi
again="make replay QUEUE=$queue STACK=$stack TARGET=gcp"
if (($#)); then
  again+=" ARGS='$*'"
fi
command=("${PYTHON:-.venv/bin/python}" -m operations.replay --endpoint "https://$region-pubsub.googleapis.com/v1"
  --project "$project" --topic "$topic" --subscription "$subscription" --again "$again" "${options[@]}" "$@")
if [[ $target != gcp ]]; then
  # Options are judged as they will be.
  "${command[@]}" --only-read
  echo "replay (sandbox): nothing is asked. TARGET=gcp would take from $subscription and publish to $topic in $region."
  exit 0
fi
exec "${command[@]}"
