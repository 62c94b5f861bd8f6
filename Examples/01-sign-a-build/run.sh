#!/bin/bash
# Signs a build with intoto-run, reads the evidence, and asks whether files are still the ones that were built.
# Uses $INTOTO_RUN, or the intoto-run that `swift build` made; works in a temporary directory.

set -euo pipefail

examples=$(cd "$(dirname "$0")/.." && pwd)
INTOTO_RUN=${INTOTO_RUN:-$examples/../.build/debug/intoto-run}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$examples/hello-c" "$work/project"
cd "$work/project"
mkdir ../evidence

# The functionary's key: ../alice.pem is secret, ../alice.pem.pub is for everybody.
"$INTOTO_RUN" key generate ../alice.pem

# One step of the supply chain: materials are read, `make dist` runs, products are read, the whole is signed.
"$INTOTO_RUN" --name build --key ../alice.pem -d ../evidence --format attestation,link -m Makefile src -p dist -- make dist

attestation=$(echo ../evidence/build.????????.intoto.jsonl)
link=$(echo ../evidence/build.????????.link)
"$INTOTO_RUN" inspect "$attestation"
"$INTOTO_RUN" sign --check "$attestation" --verification-keys ../alice.pem.pub

# The exit status of the step is the command's own, and a failed step is evidence, too.
status=0
"$INTOTO_RUN" --name fails --key ../alice.pem -d ../evidence --format link -- sh -c 'exit 3' || status=$?
[ "$status" = 3 ] || { echo "example: expected exit status 3, got $status" >&2; exit 1; }
ls ../evidence/fails.????????.link

# Unchanged files are the products that were signed ...
"$INTOTO_RUN" match-products -l "$link" --verification-keys ../alice.pem.pub -p dist

# ... and a changed one is not: exit status 1.
echo changed >>dist/hello
status=0
"$INTOTO_RUN" match-products -l "$link" --verification-keys ../alice.pem.pub -p dist || status=$?
[ "$status" = 1 ] || { echo "example: expected exit status 1, got $status" >&2; exit 1; }
echo "example: all as it should be"
