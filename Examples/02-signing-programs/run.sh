#!/bin/bash
# Signs with keys that intoto-run never sees: one that openssl holds, one that ssh-agent holds.
# Uses $INTOTO_RUN, or the intoto-run that `swift build` made; works in a temporary directory.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
INTOTO_RUN=${INTOTO_RUN:-$here/../../.build/debug/intoto-run}
work=$(mktemp -d)
agent=
trap '[ -z "$agent" ] || kill "$agent"; rm -rf "$work"' EXIT
cp -R "$here/../hello-c" "$work/project"
cd "$work/project"
mkdir ../evidence

# Keys of openssl's, one of each kind; they could as well be in a company's key service.
openssl genpkey -quiet -algorithm ed25519 -out ../ed25519.pem
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ../p256.pem
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out ../rsa.pem
for key in ed25519 p256 rsa; do
    openssl pkey -in ../$key.pem -pubout -out ../$key.pub
    "$INTOTO_RUN" --name build-$key --key "exec:$here/openssl-signer ../$key.pem" -d ../evidence -m src -p dist -- make -s dist
    "$INTOTO_RUN" sign --check ../evidence/build-$key.*.jsonl --verification-keys ../$key.pub
done

# A key of ssh-agent's: not even its file is there while the step runs.
eval "$(ssh-agent)" >/dev/null
agent=$SSH_AGENT_PID
ssh-keygen -q -t ed25519 -N '' -C 'a throwaway key' -f ../agents
ssh-add -q ../agents
rm ../agents
"$INTOTO_RUN" --name package --key "exec:$here/ssh-agent-signer ../agents.pub" -d ../evidence -m dist -p dist -- true
"$INTOTO_RUN" sign --check ../evidence/package.*.jsonl --verification-keys ../agents.pub

# A program that cannot sign is an error before anything runs.
status=0
"$INTOTO_RUN" --name never --key "exec:$here/openssl-signer ../absent.pem" -d ../evidence -p dist -- touch ../ran || status=$?
[ "$status" = 125 ] && [ ! -e ../ran ] || { echo "example: it ran, or ended with status $status" >&2; exit 1; }
echo "example: all as it should be"
