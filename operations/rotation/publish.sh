#!/usr/bin/env bash
# Send the rotator a message: publish.sh TARGET STACK SECRET EVENT [CONFIRMED [AT_ONCE]], EVENT being SECRET_ROTATE or
# AIPROD_ROLLBACK. CONFIRMED is the version of a vendor's key that a person tried, AT_ONCE is 'true' to rotate within
# the grace period too. Only TARGET gcp sends; the others say what would be sent. REVIEW is the command that knows the
# stacks. Needs the Google Cloud CLI and, to send, the right to publish to the rotation topic.
set -euo pipefail
target=$1 stack=$2 secret=$3 event=$4 confirmed=${5:-} at_once=${6:-}
command=rotate
if [[ $event == AIPROD_ROLLBACK ]]; then
  command=rotate-rollback
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
if [[ -z $secret ]]; then
  refuse "SECRET must name a secret, got nothing: add SECRET=aiprod-database-password"
fi
if [[ -n $confirmed && ! $confirmed =~ ^[1-9][0-9]{0,8}$ ]]; then
  refuse "CONFIRMED must be the number of a version, 1 or more, got '$confirmed': name the version that you tried"
fi
if [[ -n $at_once && $at_once != true ]]; then
  refuse "AT_ONCE must be 'true' or left out, got '$at_once': correct it"
fi
attributes=eventType=$event,secretId=$secret
if [[ -n $confirmed ]]; then
  attributes+=,confirmed=$confirmed
fi
if [[ -n $at_once ]]; then
  attributes+=,atOnce=true
fi
project=$("${review[@]}" project --stack "$stack" --target "$target" --secret "$secret" --command "$command")
if [[ $target != gcp ]]; then
  echo "$command (sandbox): nothing is sent. TARGET=gcp would send $attributes to the topic of the secret in $stack."
  exit 0
fi
topic=$(gcloud secrets describe "$secret" --project="$project" --format="value(topics[0].name)")
if [[ -z $topic ]]; then
  refuse "secret $secret in $project must have a topic for its rotation, it has none: run make up STACK=$stack TARGET=gcp" 1
fi
if [[ -z $(gcloud pubsub topics list-subscriptions "$topic" --project="$project") ]]; then
  refuse "nothing subscribes to $topic, so nobody would act: deploy the rotator first" 1
fi
gcloud pubsub topics publish "$topic" --project="$project" --attribute="$attributes"
echo "$command: sent; the outcome is written to the log as jsonPayload.rotation"
