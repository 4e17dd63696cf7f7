#!/bin/sh
# Applies files, and ends well only if the version that they give a Deployment is promoted; where
# Outrider does not manage it, if its rollout completes.
#
#   examples/apply.sh NAMESPACE DEPLOYMENT FILE...
#
# TIMEOUT is how many seconds that may take (600).
set -eu

if [ $# -lt 3 ]; then
    echo "usage: $0 NAMESPACE DEPLOYMENT FILE..." >&2
    exit 2
fi
namespace=$1
deployment=$2
shift 2
limit="${TIMEOUT:-600}s"

fail() {
    echo "$deployment: $1" >&2
    exit 1
}

# The number of the last release that came by admission, then the pods' template; nothing while
# the Deployment is not there.
state() {
    kubectl -n "$namespace" get deployment "$deployment" --ignore-not-found \
        -o jsonpath='{.metadata.annotations.outrider\.dev/release}{"\n"}{.spec.template}'
}

first() {
    printf '%s\n' "$1" | head -n 1
}

# A field of the Canary.
said() {
    kubectl -n "$namespace" get canary "$canary" -o jsonpath="{.status.$1}"
}

before=$(state)
for file in "$@"; do
    shift
    set -- "$@" -f "$file"
done
kubectl -n "$namespace" apply "$@"
after=$(state)
number=$(first "$after")

if [ -z "$number" ]; then
    exec kubectl -n "$namespace" rollout status "deployment/$deployment" --timeout="$limit"
fi

look="kubectl -n $namespace events --for deployment/$deployment"
slipped="this update has no number of its own (the last one is $number): admission was away, or
passed it over. What became of release $number says nothing of it. Look at: $look"

same=""
if [ "$number" = "$(first "$before")" ]; then
    same=yes
    [ "$after" = "$before" ] || fail "$slipped"
fi

canary=$(kubectl -n "$namespace" get deployment "$deployment" \
    -o jsonpath='{.metadata.annotations.outrider\.dev/canary}')
canary=${canary:-$deployment}
kubectl -n "$namespace" wait "canary/$canary" --for="jsonpath={.status.outcomes.$number}" \
    --timeout="$limit" >/dev/null || fail "release $number has not ended in $limit"
# A job that runs again applies nothing; then the release must be the one that was taken up last.
taken_up=$(said release)
if [ -n "$same" ] && [ -z "$taken_up" ]; then
    fail "$slipped"
fi

outcome=$(said "outcomes.$number")
echo "$deployment: release $number was $outcome"
[ "$outcome" = promoted ] || fail "$(said message)"
