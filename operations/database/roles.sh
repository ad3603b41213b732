#!/usr/bin/env bash
# Run roles.sql in the database of STACK: roles.sh TARGET STACK INSTANCE DATABASE. INSTANCE must be one that the program
# of STACK makes and that takes writes; empty, it is the only one. Another instance of the same project, such as the one
# that is live until a cut-over, would lose what its logins may do. Cloud SQL itself runs the file, as an import by its
# login postgres, so no way into the private network and no password is needed. Only TARGET gcp does; the others say what
# would be done. The file passes through the bucket of sources, which the instance may read meanwhile. Needs the Google
# Cloud CLI, cloudsql.instances.import and the administration of that bucket; the deployer has both. WAIT is the pause
# before a new attempt, in seconds: Google takes up to two minutes to know a grant. A run that was killed leaves that
# grant and its copy of the file in the bucket; the next run takes both away.
set -euo pipefail
target=$1 stack=$2 instance=$3 database=$4
here=$(cd "$(dirname "$0")" && pwd)
read -ra review <<<"${REVIEW:-.venv/bin/python -m review}"

refuse() {
  echo "database-roles: $1" >&2
  exit "${2:-2}"
}

case $target in
  sandbox | sandbox-cli | gcp) ;;
  *) refuse "TARGET must be sandbox, sandbox-cli or gcp, got '$target': name one of them" ;;
esac
if [[ ! $database =~ ^[a-z_][a-z0-9_]{0,62}$ ]]; then
  refuse "DATABASE must be the name of a database such as aiprod, got '$database': correct it"
fi
declared=$("${review[@]}" primaries --stack "$stack" --target "$target" --command database-roles)
mapfile -t lines <<<"$declared"
project=${lines[0]} primaries=("${lines[@]:1}")
if [[ -z $instance && ${#primaries[@]} -eq 1 ]]; then
  instance=${primaries[0]}
fi
if ! grep -xF -e "$instance" <<<"$(printf '%s\n' "${primaries[@]}")" >/dev/null; then
  refuse "INSTANCE must be a database of $stack that takes writes, got '$instance': name ${primaries[*]}"
fi
digest=$(sha256sum "$here/roles.sql" | cut -c 1-12)
object=gs://$project-sources/database/roles-$digest.sql
if [[ $target != gcp ]]; then
  echo "database-roles (sandbox): nothing is done. TARGET=gcp would run operations/database/roles.sql ($digest) in database $database of $instance in $project, as postgres."
  exit 0
fi
account=$(gcloud sql instances describe "$instance" --project="$project" --format="value(serviceAccountEmailAddress)")
if [[ -z $account ]]; then
  refuse "instance $instance in $project must have a service account, it has none: run make up STACK=$stack TARGET=gcp" 1
fi
bucket=gs://$project-sources
viewer=(--role=roles/storage.objectViewer --quiet)
# Whatever instance may read the bucket has it from here, from a run that was killed among others. What that run had
# copied goes as well. The trap calls it.
# shellcheck disable=SC2329
cleaned() {
  local member
  gcloud storage buckets get-iam-policy "$bucket" --flatten="bindings[].members" \
    --filter="bindings.role=roles/storage.objectViewer AND bindings.members~@gcp-sa-cloud-sql[.]" \
    --format="value(bindings.members)" | while read -r member; do
    gcloud storage buckets remove-iam-policy-binding "$bucket" --member="$member" "${viewer[@]}" >/dev/null || true
  done || true
  gcloud storage rm "$bucket/database/roles-*.sql" --quiet || true
}
trap cleaned EXIT
gcloud storage cp "$here/roles.sql" "$object"
gcloud storage buckets add-iam-policy-binding "$bucket" --member="serviceAccount:$account" "${viewer[@]}" >/dev/null
said=$(mktemp)
trap 'rm -f "$said"; cleaned' EXIT
# The grant that is not known yet, another operation of the instance, and Google's own trouble pass; nothing else does.
passing='required permissions for the bucket|HTTPError (409|429|5[0-9][0-9])|already in progress'
for attempt in 1 2 3; do
  if gcloud sql import sql "$instance" "$object" --database="$database" --user=postgres --project="$project" --quiet 2>"$said"; then
    cat "$said" >&2
    echo "database-roles: roles.sql ($digest) ran in database $database of $instance"
    exit 0
  fi
  cat "$said" >&2
  if ! grep -qE "$passing" "$said"; then
    break
  fi
  if [[ $attempt -lt 3 ]]; then
    echo "database-roles: not done yet (attempt $attempt of 3): again in ${WAIT:-60} s"
    sleep "${WAIT:-60}"
  fi
done
refuse "roles.sql did not run in database $database of $instance, and nothing of it stays: read the message above, docs/database.md" 1
