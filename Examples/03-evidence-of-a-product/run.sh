#!/bin/bash
# Four steps by four people, every kind of attestation in one bundle, a layout, a verdict, and its signed summary.
# Uses $INTOTO_RUN, or the intoto-run that `swift build` made; works in a temporary directory.

set -euo pipefail

examples=$(cd "$(dirname "$0")/.." && pwd)
INTOTO_RUN=${INTOTO_RUN:-$examples/../.build/debug/intoto-run}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$examples/hello-c" "$work/upstream"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
git -C "$work/upstream" init -q
git -C "$work/upstream" add .
git -C "$work/upstream" -c user.name=Alice -c user.email=alice@example.com commit -qm 'A greeting'

mkdir "$work/steps" "$work/evidence" "$work/product"
cd "$work/steps"
for person in owner alice rita tess bob verifier; do "$INTOTO_RUN" key generate "../$person.pem"; done

# step PERSON NAME ARGUMENTS: one step's link; attest PERSON TYPE PREDICATE SUBJECT: what somebody says of an artifact.
step() { "$INTOTO_RUN" -q -k "../$1.pem" -n "$2" -d ../evidence "${@:3}"; }
attest() {
    printf '%s\n' "$3" >../predicate.json
    "$INTOTO_RUN" attest -k "../$1.pem" --type "$2" --predicate ../predicate.json --subject "$4" -d ../evidence
}

step alice checkout -p git:project -- git clone -q ../upstream project
step rita review --no-command -m git:project -p git:project
attest rita human-review '{"result": "PASSED", "reviewLink": "https://review.example.com/42"}' git:project
step tess test -m git:project -p git:project -- grep -q greeting project/src/greeting.c
attest tess test-result '{"result": "PASSED", "configuration": [{"uri": "https://ci.example.com/7"}]}' git:project
step bob build -m git:project -p project/dist -- make -C project dist
attest bob provenance '{
    "buildDefinition": {"buildType": "https://example.com/builds/make", "externalParameters": {"target": "dist"}},
    "runDetails": {"builder": {"id": "https://ci.example.com/builder"}}}' project/dist
attest bob runtime-trace '{
    "monitor": {"type": "https://example.com/monitors/strace"},
    "monitoredProcess": {"hostID": "https://ci.example.com/runners/3", "type": "https://example.com/make",
        "event": "build 7"},
    "monitorLog": {"process": [{"argv": ["make", "-C", "project", "dist"]}]}}' project/dist
attest bob scai '{
    "attributes": [{"attribute": "WITH_STACK_PROTECTOR", "target": {"uri": "https://example.com/compilers/cc"}}]}' \
    project/dist
cp project/dist/* ../product
cd ..

"$INTOTO_RUN" bundle create -o story.intoto.jsonl evidence/*.intoto.jsonl
"$INTOTO_RUN" inspect story.intoto.jsonl --verification-keys {alice,rita,tess,bob}.pem.pub

# The owner's part: who may do what, written as YAML, signed as JSON. Key objects are JSON, and so they are YAML.
cp "$examples/03-evidence-of-a-product/layout.yaml" .
echo 'keys:' >>layout.yaml
for person in alice rita tess bob; do
    id=$("$INTOTO_RUN" key id "$person.pem.pub")
    sed -i "s/${person^^}/$id/" layout.yaml
    echo "  $id:" >>layout.yaml
    "$INTOTO_RUN" key show "$person.pem.pub" | sed -n '/^key object: /,/^}/{s/^key object: //;s/^/    /;p}' >>layout.yaml
done
"$INTOTO_RUN" layout lint layout.yaml || true  # it says that this layout is good for very long
"$INTOTO_RUN" layout sign layout.yaml -k owner.pem -o root.layout

# The verdict, where the product is; and the one sentence that others may rely on.
verify() {
    "$INTOTO_RUN" verify -l ../root.layout --verification-keys ../owner.pem.pub --link-dir ../story.intoto.jsonl \
        --require-attestation review=human-review test=test-result build=provenance build=runtime-trace build=scai \
        --vsa ../summary.intoto.jsonl --vsa-key ../verifier.pem --vsa-subject hello \
        --resource-uri https://example.com/hello
}
check() {
    "$INTOTO_RUN" sign --check summary.intoto.jsonl --verification-keys verifier.pem.pub \
        --expect-subject product/hello --expect-resource https://example.com/hello \
        --expect-verifier https://in-toto.io/verifiers/intoto-run --expect-level SLSA_BUILD_LEVEL_UNEVALUATED
}
cd product
verify
cd ..
check

# Without the tests' result nobody passes, and the summary says that.
rm evidence/test-result.*.intoto.jsonl
"$INTOTO_RUN" bundle create --overwrite -o story.intoto.jsonl evidence/*.intoto.jsonl
cd product
status=0
verify || status=$?
[ "$status" = 1 ] || { echo "example: expected exit status 1, got $status" >&2; exit 1; }
cd ..
if check; then echo "example: a refusal was taken for a pass" >&2; exit 1; fi
echo "example: all as it should be"
