#!/usr/bin/env bash
# Send the rotator a message: publish.sh TARGET STACK SECRET EVENT, EVENT being SECRET_ROTATE or AIPROD_ROLLBACK.
# Only TARGET gcp sends; any other says what would be sent. Needs the Google Cloud CLI and, to send, the right
# to publish to the rotation topic.
set -euo pipefail
target=$1 stack=$2 secret=$3 event=$4

if [[ -z $secret ]]; then
  echo "rotate: SECRET must name a secret, got nothing: add SECRET=aiprod-database-password" >&2
  exit 2
fi
if [[ ! -f Pulumi.$stack.yaml ]]; then
  echo "rotate: STACK must be a stack with a file Pulumi.STACK.yaml, got '$stack': name dev, staging or prod" >&2
  exit 2
fi
if [[ $target != gcp ]]; then
  echo "rotate (sandbox): nothing is sent. TARGET=gcp would send $event for $secret of $stack to the secret's topic."
  exit 0
fi
project=$(awk '$1 == "aiprod:project_id:" { print $2 }' "Pulumi.$stack.yaml")
topic=$(gcloud secrets describe "$secret" --project="$project" --format="value(topics[0].name)")
if [[ -z $(gcloud pubsub topics list-subscriptions "$topic" --project="$project") ]]; then
  echo "rotate: nothing subscribes to $topic, so nobody would act: deploy the rotator first" >&2
  exit 1
fi
gcloud pubsub topics publish "$topic" --project="$project" --attribute="eventType=$event,secretId=$secret"
echo "rotate: sent; the outcome is written to the log as jsonPayload.rotation"
