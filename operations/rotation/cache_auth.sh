#!/usr/bin/env bash
# Change the AUTH string of the cache: cache_auth.sh TARGET STACK CONFIRM. An outage of the cache, from the first
# command until the new revisions serve. Only TARGET gcp changes anything. Killed halfway, run it again: it begins
# where the instance stands. REVIEW is the command that knows the stacks. Needs the Google Cloud CLI, the Pulumi CLI and rights on the instance and the stack.
set -euo pipefail
target=$1 stack=$2 confirm=${3:-}
read -ra review <<<"${REVIEW:-.venv/bin/python -m review}"

case $target in
  sandbox | sandbox-cli | gcp) ;;
  *)
    echo "rotate-cache: TARGET must be sandbox, sandbox-cli or gcp, got '$target': name one of them" >&2
    exit 2
    ;;
esac
project=$("${review[@]}" project --stack "$stack" --target "$target" --command rotate-cache)
if [[ $target != gcp ]]; then
  echo "rotate-cache (sandbox): nothing is changed. TARGET=gcp would switch AUTH of the cache of $stack off and on" \
    "and deploy the new string; rehearsed by tests/end_to_end/test_cache_auth.py."
  exit 0
fi
if [[ $confirm != outage ]]; then
  echo "rotate-cache: CONFIRM must be 'outage', got '$confirm': the cache answers nobody until the new revisions" \
    "serve; choose a maintenance window (docs/runbooks/cache-auth.md)" >&2
  exit 2
fi
mapfile -t found < <(gcloud redis instances list --project="$project" --region=- \
  --filter="labels.component=cache AND labels.environment=$stack" --format="value(name)")
if [[ ${#found[@]} -ne 1 || -z ${found[0]} ]]; then
  echo "rotate-cache: exactly one cache must carry the labels of $stack in $project, got ${#found[@]}: look at" \
    "gcloud redis instances list --region=-" >&2
  exit 1
fi
# The full resource name carries project and region.
cache=${found[0]}
enabled=$(gcloud redis instances describe "$cache" --format="value(authEnabled)")
if [[ ${enabled,,} == true ]]; then
  gcloud redis instances update "$cache" --no-enable-auth --quiet
fi
gcloud redis instances update "$cache" --enable-auth --quiet
"${MAKE:-make}" refresh STACK="$stack" TARGET=gcp
"${MAKE:-make}" up STACK="$stack" TARGET=gcp
echo "rotate-cache: done; watch the cache's connections, then move the date of its exception in Pulumi.$stack.yaml"
