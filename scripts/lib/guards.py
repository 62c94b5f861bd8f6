"""guards.py [--list] [--only REGEX] [--count N] [--part I/N] [--quick] [--skip-build]: see scripts/guards."""

import argparse
import collections
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from swiftguards import Guards

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(ROOT, ".build", "guards")
TREE, BUILD, TRACE, REACHES = (os.path.join(WORK, name) for name in ("tree", "build", "trace", "reaches.json"))

# What decides: verification, signatures and keys, reading and checking of what others wrote.
FILES = [
    "Sources/InTotoVerification/*.swift", "Sources/InTotoVerification/Rules/*.swift",
    "Sources/InTotoVerification/Evidence/*.swift",
    "Sources/InTotoCrypto/Authentication.swift", "Sources/InTotoCrypto/SignatureComputation.swift",
    "Sources/InTotoCrypto/FunctionaryCertificate.swift", "Sources/InTotoCrypto/KeyHandle.swift",
    "Sources/InTotoCrypto/KeyScheme.swift", "Sources/InTotoCrypto/PublicKey.swift",
    "Sources/InTotoCrypto/PublicKeyReader.swift", "Sources/InTotoCrypto/DERReader.swift",
    "Sources/InTotoMetadata/*.swift", "Sources/InTotoMetadata/Attestation/*.swift",
    "Sources/InTotoMetadata/JSON/*.swift", "Sources/InTotoMetadata/Layout/*.swift",
    "Sources/InTotoMetadata/Signed/*.swift", "Sources/InTotoMetadata/Predicates/LinkPredicate.swift",
    "Sources/InTotoMetadata/Predicates/VerificationSummary.swift",
    "Sources/InTotoStorage/BoundedReader.swift", "Sources/InTotoStorage/EvidenceFolder.swift",
    "Sources/intoto-run/Verbs/Verify.swift", "Sources/intoto-run/InspectionCommand.swift",
    "Sources/intoto-run/Options/VerificationOptions.swift",
]
# Writing, and what is shown: nothing is decided there.
LEFT_OUT = re.compile(r"Writing\.swift|JSONWriter|TerminalEscaping|VerdictReport")

SUITES = (
    [f"InTotoMetadataTests.{name}" for name in (
        "ArtifactSetTests Base64Tests BundleTests CanonicalJSONTests DigestSetTests EnvelopeTests HexTests "
        "JSONReaderTests JSONTestSuiteTests KnownPredicateTests LayoutTests LinkPredicateTests LinkTests "
        "MetablockTests StatementTests StepNameTests SummaryExpectationsTests TextTests UTCTimeTests "
        "UnfinishedRecordTests").split()]
    + [f"InTotoCryptoTests.{name}" for name in (
        "AuthenticationTests DERReaderTests DerivationCostTests Ed25519EdgeCaseTests EnvelopeVectorTests KeyFormTests "
        "KeyIDTests KeyLoadingTests KeyPolicyTests KeySchemeTests OpenSSHKeyTests OpenSSLCommandTests "
        "PublicKeyEncodingTests WycheproofTests CertificateTests").split()]
    + [f"InTotoStorageTests.{name}" for name in ("BoundedReaderTests", "EvidenceFolderTests", "KeyFileTests")]
    + [f"InTotoVerificationTests.{name}" for name in (
        "AgreementTests", "AttestationTests", "CertifiedEvidenceTests", "EvidenceTests", "KeyHintTests", "NamedFileTests",
        "RefusedEvidenceTests", "RuleEvaluatorTests", "RuleVectorTests", "SignatureBudgetTests", "SublayoutTests",
        "SummarySubjectTests", "VerifierTests")]
    + [f"CommandTests.{name}" for name in (
        "BundleVerbTests", "HostileVerifyTests", "InspectOddTests", "InspectTests", "InspectionEvidenceTests",
        "KeyConvertTests", "KeyVerbTests", "LayoutVerbTests", "LayoutYAMLTests", "MatchProductsTests",
        "SignAgainTests", "SignCheckTests", "VerificationSummaryTests", "VerifyInspectionTests", "VerifyJSONTests",
        "VerifyOptionTests", "VerifyRefusalTests", "VerifyTests", "VerifyThresholdTests", "WrongMetadataTests")]
    + ["InteropTests.VerifyVectorTests"]
)

SWITCH = """\
#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// Which guard is absent; and where the guards are marked that somebody asks about.
private let absent = getenv("INTOTO_TEST_REMOVED_GUARD").map { atoi($0) } ?? -1
nonisolated(unsafe) private let trace: UnsafeMutablePointer<UInt8>? = {
    guard let path = getenv("INTOTO_TEST_GUARD_TRACE") else { return nil }
    let file = open(path, O_RDWR | O_CLOEXEC)
    guard file >= 0 else { return nil }
    let map = mmap(nil, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    close(file)
    return map == MAP_FAILED ? nil : map?.assumingMemoryBound(to: UInt8.self)
}()

@inline(never) func gone(_ number: Int32) -> Bool {
    trace?[Int(number)] = 1
    return number == absent
}
"""


class Guard:
    def __init__(self, number, path, line, text, key):
        self.number, self.path, self.line, self.text, self.key = number, path, line, text, key

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


def extras(path):
    """Guards that are no guard or if: rewritten as scripts/lib/guards-extra.txt says."""
    found = []
    with open(os.path.join(HERE, "guards-extra.txt"), encoding="utf-8") as file:
        for entry in file.read().split("\n\n"):
            lines = [line for line in entry.split("\n") if line and not line.startswith("#")]
            if lines and lines[0] == path:
                found.append([line[1:] for line in lines[1:3]])
    return found


def read_all():
    """All guards, what cannot be removed, and the rewritten sources."""
    guards, fixed, sources = [], [], {}
    number = 1
    for path in sorted({path for pattern in FILES for path in glob.glob(os.path.join(ROOT, pattern))}):
        name = os.path.relpath(path, ROOT)
        if LEFT_OUT.search(name):
            continue
        with open(path, encoding="utf-8") as file:
            source = file.read()
        found = Guards(source, number)
        seen = collections.Counter()

        def add(number, line, text):
            seen[text] += 1
            key = f"{name}: {text}" + (f" ({seen[text]})" if seen[text] > 1 else "")
            guards.append(Guard(number, name, line, text, key))

        for index, position, text in found.found:
            add(index, found.line(position), text)
        number = found.number
        result = found.removable()
        for old, new in extras(name):
            # Where an extra stands there is no other guard, so that it is in the result as it is in the source.
            if source.count(old) != 1 or result.count(old) != 1:
                sys.exit(f"guards: guards-extra.txt: '{old}' stands {source.count(old)} times in {name}, "
                         f"and {result.count(old)} times where the other guards are removable")
            result = result.replace(old, new.replace("GONE", f"gone({number})"))
            add(number, source[: source.index(old)].count("\n") + 1, old.strip())
            number += 1
        fixed += [f"{name}:{found.line(position)}: {text}: {why}" for position, text, why in found.fixed]
        sources[name] = result
    return guards, fixed, sources


def explained():
    """The guards whose removal changes nothing that a test could see, and why."""
    reasons = {}
    with open(os.path.join(HERE, "guards-explained.txt"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                key, _, reason = line.rstrip("\n").partition("  # ")
                reasons[key] = reason
    return reasons


# MARK: The copy

def write_if_changed(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if file.read() == content:
                return
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)


def is_in_tree(name, content):
    try:
        with open(os.path.join(TREE, name), encoding="utf-8") as file:
            return file.read() == content
    except FileNotFoundError:
        return False


def make_tree(sources):
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "Package.swift", "Sources", "Tests",
         "scripts"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")[:-1]
    files = [name for name in files if os.path.exists(os.path.join(ROOT, name))]
    targets = sorted({"/".join(name.split("/")[:2]) for name in sources})
    switches = [f"{target}/GuardSwitch.swift" for target in targets]
    for name in files:
        source, copy = os.path.join(ROOT, name), os.path.join(TREE, name)
        if name in sources:
            write_if_changed(copy, sources[name])
        elif name == "Package.swift":
            with open(source, encoding="utf-8") as file:
                text = file.read().replace(".treatAllWarnings(as: .error)", '.define("GUARDS_REMOVABLE")')
            write_if_changed(copy, text)
        elif name == "Tests/TestSupport/Subprocess.swift":
            with open(source, encoding="utf-8") as file:
                text = file.read()
            old = "environment ?? ProcessInfo.processInfo.environment"
            assert text.count(old) == 1, "how tests run programs has changed"
            write_if_changed(copy, text.replace(
                old, f"({old}).merging(ProcessInfo.processInfo.environment.filter "
                     "{ $0.key.hasPrefix(\"INTOTO_TEST_\") }) { $1 }"))
        elif not os.path.exists(copy) or os.stat(copy).st_mtime_ns != os.stat(source).st_mtime_ns:
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy2(source, copy)
    for name in switches:
        write_if_changed(os.path.join(TREE, name), SWITCH)
    wanted = set(files) | set(switches)
    for folder, _, names in os.walk(TREE):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), TREE)
            if path not in wanted and not path.startswith(".build") and path != "Package.resolved":
                os.remove(os.path.join(TREE, path))
    peers = os.path.join(ROOT, ".build", "peers")
    if os.path.exists(peers):
        os.makedirs(os.path.join(TREE, ".build"), exist_ok=True)
        if not os.path.lexists(os.path.join(TREE, ".build", "peers")):
            os.symlink(peers, os.path.join(TREE, ".build", "peers"))


def build():
    # What the tests run is a release build, which starts in a fifth of the time.
    for what in (["--build-tests"], ["-c", "release", "--static-swift-stdlib", "--product", "intoto-run"]):
        subprocess.run(["swift", "build", "--scratch-path", BUILD] + what, cwd=TREE, check=True, stdout=sys.stderr)


# MARK: Runs

class Tests:
    def __init__(self):
        self.program = glob.glob(os.path.join(BUILD, "debug", "*PackageTests.xctest"))[0]

    def run(self, suites, variables, limit):
        """Runs suites until a test fails: (what failed, or nothing; how many tests ran; seconds)."""
        filters = "^(" + "|".join(re.escape(suite) for suite in suites) + ")/"
        start = time.monotonic()
        process = subprocess.Popen(
            [self.program, "--testing-library", "swift-testing", "--filter", filters], cwd=TREE,
            env=dict(os.environ, INTOTO_RUN=os.path.join(BUILD, "release", "intoto-run"), **variables),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        failure, count, late = None, 0, threading.Event()

        def stop():
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit, stop)
        timer.start()
        for line in process.stdout:
            text = re.sub(r"\x1b\[[0-9;]*m", "", line.decode("utf-8", "replace")).strip()
            ran = re.search(r"Test run with (\d+) test", text)
            count = int(ran.group(1)) if ran else count
            if re.search(r"recorded an issue|Fatal error|\u2718", text):
                failure = text
                os.killpg(process.pid, signal.SIGKILL)
                break
        process.stdout.close()
        status = process.wait()
        timer.cancel()
        if late.is_set():
            failure = failure or f"no end within {limit:.0f} s"
        elif failure is None and status != 0:
            failure = f"the tests ended with status {status}"
        return failure, count, time.monotonic() - start


def reaches(tests, count):
    """For each suite: how long it takes, and the numbers of the guards that it reaches; kept for the next run."""
    build = [os.stat(tests.program).st_mtime_ns, count, SUITES]
    if os.path.exists(REACHES):
        with open(REACHES, encoding="utf-8") as file:
            kept = json.load(file)
        if kept["build"] == build:
            return {suite: (seconds, set(numbers)) for suite, (seconds, numbers) in kept["suites"].items()}
    found = {}
    for suite in SUITES:
        with open(TRACE, "wb") as file:
            file.truncate(65536)
        failure, ran, seconds = tests.run([suite], {"INTOTO_TEST_GUARD_TRACE": TRACE}, 600)
        if failure:
            sys.exit(f"guards: {suite} fails with every guard in place: {failure}")
        if ran == 0:
            sys.exit(f"guards: there are no tests in {suite}")
        with open(TRACE, "rb") as file:
            marks = file.read()
        numbers = {number for number in range(1, count + 1) if marks[number]}
        print(f"  {suite}: {ran} tests, {seconds:.1f} s, reach {len(numbers)} guards", file=sys.stderr)
        found[suite] = (seconds, numbers)
    with open(REACHES, "w", encoding="utf-8") as file:
        json.dump({"build": build, "suites": {name: (seconds, sorted(numbers))
                                              for name, (seconds, numbers) in found.items()}}, file)
    return found


def judge(tests, guard, suites, is_quick):
    """What notices that the guard is gone; nothing where nobody does. The nearest tests first, the slow ones last."""
    reaching = sorted((seconds, suite) for suite, (seconds, numbers) in suites.items() if guard.number in numbers)
    target = guard.path.split("/")[1] + "Tests."
    near = [suite for seconds, suite in reaching if seconds < 60 and suite.startswith(target)]
    quick = [suite for seconds, suite in reaching if seconds < 5 and suite not in near]
    slow = [[suite] for _, suite in reaching if suite not in near + quick]
    for batch in filter(None, [near, quick] + ([] if is_quick else slow)):
        limit = 20 + 4 * sum(suites[suite][0] for suite in batch)
        failure, _, _ = tests.run(batch, {"INTOTO_TEST_REMOVED_GUARD": str(guard.number)}, limit)
        if failure:
            return failure
    return None


def chosen(guards, options):
    if options.only:
        guards = [guard for guard in guards
                  if options.only == str(guard.number) or re.search(options.only, f"{guard.number} {guard}")]
    if options.part:
        part, whole = map(int, options.part.split("/"))
        guards = guards[part - 1 :: whole]
    if options.count and options.count < len(guards):
        guards = [guards[index * len(guards) // options.count] for index in range(options.count)]
    return guards


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--count", type=int)
    parser.add_argument("--part")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--skip-build", action="store_true")
    options = parser.parse_args()
    guards, fixed, sources = read_all()
    reasons = explained()
    stale = set(reasons) - {guard.key for guard in guards}
    if stale:
        sys.exit("guards: guards-explained.txt explains what is not there:\n" + "\n".join(sorted(stale)))
    if options.list:
        for guard in guards:
            print(f"{guard.number} {guard}")
        for text in fixed:
            print(f"- {text}")
        print(f"{len(guards)} guards, {len(fixed)} places that cannot be removed")
        return
    if not options.skip_build:
        make_tree(sources)
        build()
    elif any(not is_in_tree(name, content) for name, content in sources.items()):
        sys.exit("guards: the sources have changed since the copy was built; leave out --skip-build")
    tests = Tests()
    suites = reaches(tests, len(guards))
    subject = chosen(guards, options)
    killed, survived = 0, []
    for guard in subject:
        failure = judge(tests, guard, suites, options.quick or guard.key in reasons)
        if failure:
            killed += 1
        else:
            survived.append(guard)
        outcome = f"noticed {guard}  <- {failure[:150]}" if failure else f"SURVIVED {guard}"
        print(f"{guard.number} {outcome}", file=sys.stderr, flush=True)
    unexplained = [guard for guard in survived if guard.key not in reasons]
    print(f"guards: {len(guards)} in {len(sources)} files, {len(subject)} of them removed: "
          f"{killed} removals noticed by a test, {len(survived) - len(unexplained)} explained, "
          f"{len(unexplained)} survived; {len(fixed)} places cannot be removed")
    for guard in unexplained:
        print(f"SURVIVED {guard.number} {guard}")
    needless = [guard for guard in subject if guard.key in reasons and guard not in survived]
    for guard in needless:
        print(f"explained, and noticed all the same: {guard}")
    if unexplained or needless or not subject:
        sys.exit(1)


main()
