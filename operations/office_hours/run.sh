#!/usr/bin/env bash
# Stop or start what a stack keeps in office hours, now: run.sh TARGET STACK MOMENT, MOMENT being stop or start. It runs
# the very jobs of the schedule, so both ways end in the same state; done twice, the second time changes nothing. Only
# TARGET gcp runs them; the others say what would run. REVIEW is the command that knows the stacks. Needs the Google
# Cloud CLI and roles/cloudscheduler.admin, which the deployer has. WAIT is the pause between two looks, in seconds.
set -euo pipefail
target=$1 stack=$2 moment=$3
command=sleep doing="stop"
if [[ $moment == start ]]; then
  command=wake doing="start"
fi
read -ra review <<<"${REVIEW:-.venv/bin/python -m review}"

refuse() {
  echo "$command: $1" >&2
  exit "${2:-2}"
}

case $target in
  sandbox | sandbox-cli | gcp) ;;
  *) refuse "TARGET must be sandbox, sandbox-cli or gcp, got '$target': name one of them" ;;
esac
declared=$("${review[@]}" schedules --stack "$stack" --target "$target" --moment "$moment" --command "$command")
mapfile -t lines <<<"$declared"
project=${lines[0]}
if [[ $target != gcp ]]; then
  echo "$command (sandbox): nothing is changed. TARGET=gcp would $doing what these jobs of $stack $doing:"
  printf '  %s\n' "${lines[@]:1}"
  exit 0
fi
region=${lines[1]%% *}
# Their names end in a random suffix; their descriptions begin with the moment.
listed=$(gcloud scheduler jobs list --project="$project" --location="$region" \
  --filter="description~'^${moment^} at '" --format="value(name.basename())") ||
  refuse "Google must list the jobs of $project in $region, it did not, and nothing was run: read the message above" 1
found=()
if [[ -n $listed ]]; then
  mapfile -t found < <(sort <<<"$listed")
fi
if [[ ${#found[@]} -ne $((${#lines[@]} - 1)) ]]; then
  refuse "$stack must have $((${#lines[@]} - 1)) jobs that $doing something in $project, it has ${#found[@]}: run make up STACK=$stack TARGET=gcp" 1
fi
# Workers need the database: it starts first and stops last. Their scaler starts a pool that was stopped before it.
databases=() scalers=() others=()
for job in "${found[@]}"; do
  case $job in
    *-database-*) databases+=("$job") ;;
    *-scaler-*) scalers+=("$job") ;;
    *) others+=("$job") ;;
  esac
done
ordered=("${scalers[@]}" "${others[@]}" "${databases[@]}")
if [[ $moment == start ]]; then
  ordered=("${databases[@]}" "${others[@]}" "${scalers[@]}")
fi
look() {
  gcloud scheduler jobs describe "$1" --project="$project" --location="$region" --format="value($2)" ||
    refuse "Google must show job $1, it did not: read the message above, then run make $command again" 1
}
for job in "${ordered[@]}"; do
  before=$(look "$job" lastAttemptTime)
  gcloud scheduler jobs run "$job" --project="$project" --location="$region" --quiet ||
    refuse "Google must run job $job, it did not: read the message above, then run make $command again" 1
  for ((tries = 0; tries < 24; tries++)); do
    now=$(look "$job" lastAttemptTime)
    if [[ $now != "$before" ]]; then break; fi
    sleep "${WAIT:-5}"
  done
  if [[ $tries -eq 24 ]]; then
    refuse "job $job must be tried within two minutes, it was not: look at it with gcloud scheduler jobs describe" 1
  fi
  code=$(look "$job" status.code)
  if [[ -n $code && $code != 0 ]]; then
    refuse "Google refused job $job with code $code: read its log, then run make $command again" 1
  fi
done
echo "$command: Google took ${#ordered[@]} jobs of $stack; the database is there or gone within minutes, and the schedule goes on"
