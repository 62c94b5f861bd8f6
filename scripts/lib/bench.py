"""bench.py PROGRAM PEERS DATA ROUNDS quick|full W1,W2…|'' PLAIN|''

Measures PROGRAM (intoto-run) beside the Python implementation in PEERS (a folder of programs), beside plain hashing and
beside the limit, on the workloads in DATA, where `measure` and `limit` are too; and beside PLAIN, an intoto-run that
hashes with OpenSSL alone. The commands take turns (A B C A B C). Prints Markdown.
"""

import base64
import json
import os
import pathlib
import platform
import pty
import shutil
import statistics
import subprocess
import sys
import threading

TITLES = {
    "w0": "W0: an empty folder",
    "w1": "W1: one large file",
    "w2": "W2: many files, as in a kernel's source",
    "w3": "W3: files as below /usr",
    "w4": "W4: very many small files in deep folders",
    "w6": "W6: ten large files",
    "git": "A clean git repository of 10,000 files",
    "streams": "W5: a command that prints 1 GiB",
    "waiting": "A command that does nothing for a while",
}
OURS, PYTHON, LIMIT, SIGNING = "intoto-run", "in-toto 3.1.0 (Python)", "limit, two passes", "openssl, signing"
REUSE = "intoto-run --reuse-unchanged"
HASH_ONLY = "hashing as many bytes of memory, twice"
# The most that a run may take, in times of the limit's two passes and the signing.
TARGETS = {"w1": 1.10, "w2": 1.25, "w3": 1.25, "w4": 1.3, "w6": 1.15}
# The most memory that a run may take, in MiB.
MEMORY = {"w0": 24, "w1": 32, "w2": 96, "w4": 400, "w6": 32}
PLAIN = "intoto-run, OpenSSL alone"
# Both with standard error on a terminal; workloads that are read for longer than half a second, when the line appears.
TERMINAL, QUIET = "intoto-run on a terminal, with progress", "intoto-run on a terminal, --quiet"
PROGRESS = ("w1", "w3", "w4", "w6")
PROCESSORS = len(os.sched_getaffinity(0))
WITHOUT_GIT, STATUS = "intoto-run --git off", "git status --porcelain"
CAT, TEE = "into cat >/dev/null", "into tee FILE >/dev/null"


class Bench:
    def __init__(self, program, peers, data, rounds, size, plain):
        self.program, self.peers, self.data, self.rounds, self.size = program, peers, data, rounds, size
        self.plain = plain
        self.drawn = 0
        for folder in ("ours", "python"):
            shutil.rmtree(data / folder, ignore_errors=True)
            (data / folder).mkdir()

    def ours(self, name, *options):
        return [self.program, "-n", name, "-k", self.data / "key.pem", "--format", "link", "-d", self.data / "ours",
                "--overwrite", *options, "-m", ".", "-p", ".", "--", "true"]

    def printing(self, *options, size):
        """A step whose command prints lines of 64 bytes."""
        command = ["sh", "-c", f"yes {'x' * 63} | head -c {size}"]
        return [self.program, "-n", "streams", "-k", self.data / "key.pem", "--format", "link", "-d",
                self.data / "ours", "--overwrite", *options, "--allow-missing", "-p", "none", "--", *command]

    def streams(self):
        size = (1 << 30) if self.size == "full" else (64 << 20)
        plain = f"yes {'x' * 63} | head -c {size}"
        table = {CAT: ["sh", "-c", f"{{ {plain}; }} | cat"],
                 TEE: ["sh", "-c", f"{{ {plain}; }} | tee {self.data}/teed"]}
        for mode in ("full", "tail", "digest"):
            table[f"intoto-run --record-streams={mode}"] = self.printing(f"--record-streams={mode}", size=size)
        figures = self.in_turn(table, self.data, 1)
        byproducts = signed(self.data / "ours", "streams")["byproducts"]
        if byproducts["stdout-length"] != size:
            sys.exit(f"bench: of {size} printed bytes {byproducts['stdout-length']} were counted")
        return figures

    def waiting(self):
        """CPU time of a run around a long sleep less that around a short one: what waiting costs."""
        long, short = (12, 2) if self.size == "full" else (4, 1)
        step = lambda options, seconds: [self.program, "-n", "waiting", "-k", self.data / "key.pem", "--format", "link",
                                         "-d", self.data / "ours", "--overwrite", *options, "--allow-missing", "-p", "none",
                                         "--", "sleep", str(seconds)]
        peer = lambda options, seconds: [self.peers / "in-toto-run", "-n", "waiting", "--signing-key",
                                         self.data / "key.pem", "-d", self.data / "python", "--run-timeout", "3600",
                                         *options, "--", "sleep", str(seconds)]
        rows = {"intoto-run": (step, []), "intoto-run -s": (step, ["-s"]), PYTHON: (peer, []), f"{PYTHON} -s": (peer, ["-s"])}
        table = {(title, seconds): make(options, seconds)
                 for title, (make, options) in rows.items() for seconds in (long, short)}
        figures = self.in_turn(table, self.data, 1)
        return {title: statistics.median(
                    (a[1] - b[1]) * 1000 / (long - short)
                    for a, b in zip(figures[title, long], figures[title, short])) for title in rows}

    def in_turn(self, table, directory, times):
        figures = {title: [] for title in table}
        for _ in range(self.rounds * times):
            for title, command in table.items():
                figures[title].append(self.run(command, directory, title in (TERMINAL, QUIET)))
        return figures

    def commands(self, name, directory):
        """What is compared, by name; the first is what the others are compared with."""
        twice = lambda command: ["sh", "-c", f"{{ {command}; {command}; }} >/dev/null"]
        result = {OURS: self.ours(name)}
        if name == "git":
            return result | {WITHOUT_GIT: self.ours(name, "--git", "off"), STATUS: ["git", "status", "--porcelain"]}
        if name in ("w1", "w3", "w6"):
            result[REUSE] = self.ours(name, "--reuse-unchanged")
        if name in ("w2", "w3", "w6") and self.plain:
            result[PLAIN] = [self.plain, *self.ours(name)[1:]]
        if name in PROGRESS:
            result |= {TERMINAL: self.ours(name), QUIET: self.ours(name, "--quiet")}
        result[PYTHON] = [self.peers / "in-toto-run", "-n", name, "--signing-key", self.data / "key.pem", "-d",
                          self.data / "python", "--run-timeout", "3600", "-m", ".", "-p", ".", "--", "true"]
        if name == "w0":
            return result
        result[LIMIT] = [self.data / "limit", "2", "."]
        if name == "w1":
            size = sum(path.stat().st_size for path in directory.iterdir())
            result[HASH_ONLY] = [self.data / "limit", "2", f"={size}"]
            result["openssl dgst -sha256, twice"] = twice("openssl dgst -sha256 *")
        else:
            result[f"sha256sum on {PROCESSORS} cores, twice"] = twice(
                f"find . -type f -print0 | xargs -0 -P{PROCESSORS} -n200 sha256sum")
            result[SIGNING] = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.data / "key.pem",
                               "-in", self.data / "payload", "-out", self.data / "signature"]
        return result

    def on_terminal(self, command, directory):
        """Runs a command whose standard error is a terminal that somebody reads; notes how often a line was drawn."""
        ours, theirs = pty.openpty()
        seen = bytearray()

        def read():
            try:
                while part := os.read(ours, 65536):
                    seen.extend(part)
            except OSError:
                pass  # the other side is closed

        reader = threading.Thread(target=read)
        reader.start()
        done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        reader.join()
        os.close(ours)
        self.drawn += seen.count(b" files, ")
        done.stderr = seen.decode(errors="replace")
        return done

    def run(self, command, directory, on_terminal=False):
        """Seconds, CPU seconds and peak MiB of one run that has to succeed."""
        report = self.data / "measured"
        measured = [self.data / "measure", report, *command]
        if on_terminal:
            done = self.on_terminal(measured, directory)
        else:
            done = subprocess.run(measured, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"bench: could not measure {command[0]}")
        wall, user, system, rss, status = map(int, report.read_text().split())
        if status != 0:
            sys.exit(f"bench: {command[0]} ended with status {status}\n{done.stderr}")
        return wall / 1e6, (user + system) / 1e6, rss / 1024

    def measure(self, name):
        """A run and a limit to warm up, which leaves the whole tree in memory, then the rounds that count."""
        directory = self.data / self.size / name
        self.run(self.ours(name), directory)
        link = signed(self.data / "ours", name)
        if name == "git" and link["environment"]["git"]["before"]["clean"] is not True:
            sys.exit(f"bench: {directory} is not recorded as clean")
        (self.data / "payload").write_bytes(canonical(link))
        table = self.commands(name, directory)
        if LIMIT in table:
            self.run(table[LIMIT], directory)
        figures = self.in_turn(table, directory, 4 if name in ("w0", "git") else 1)
        if name == "git":
            return figures
        ours, theirs = signed(self.data / "ours", name), signed(self.data / "python", name)
        if any(ours[part] != theirs[part] for part in ("materials", "products")):
            sys.exit(f"bench: the two runners do not agree on what is in {directory}")
        return figures


def signed(folder, name):
    """The content of the one link of that name in the folder."""
    [path] = folder.glob(f"{name}.*.link")
    content = json.loads(path.read_text())
    return content["signed"] if "signed" in content else json.loads(base64.b64decode(content["payload"]))


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def ratios(rows, base):
    """The median of each round's own ratio: what disturbs one round disturbs both."""
    return statistics.median(row[0] / other[0] for row, other in zip(rows, base))


def print_table(name, figures, drawn):
    print(f"\n## {TITLES[name]}\n")
    base = OURS if OURS in figures else CAT
    print(f"| command | wall, s: median (min–max) | times {base} | CPU, s | peak memory, MiB |")
    print("|---|---|---|---|---|")
    for title, rows in figures.items():
        wall, cpu, rss = zip(*rows)
        print(f"| {title} | {statistics.median(wall):.3f} ({min(wall):.3f}–{max(wall):.3f}) "
              f"| {ratios(rows, figures[base]):.2f} | {statistics.median(cpu):.3f} | {statistics.median(rss):.1f} |")
    if name == "git":
        extra = statistics.median(a[0] - b[0] for a, b in zip(figures[OURS], figures[WITHOUT_GIT]))
        status = statistics.median(row[0] for row in figures[STATUS])
        print(f"\nThe record of the repository, read before and after the command, adds **{extra * 1000:.0f} ms**; "
              f"the target is 15 ms + {STATUS} = {15 + status * 1000:.0f} ms.")
    if name == "streams":
        print("\nThe target for `full` is at most 2 times the first row.")
    if name in TARGETS:
        bases = [HASH_ONLY] if name == "w1" else [LIMIT, SIGNING]
        floor = [(sum(row[0] for row in rows),) for rows in zip(*(figures[title] for title in bases))]
        print(f"\nThe run takes **{ratios(figures[OURS], floor):.2f}×** of {' + '.join(bases)}; "
              f"the target is {TARGETS[name]}.")
    if name in MEMORY:
        peak = max(row[2] for row in figures[OURS])
        print(f"\nThe run takes at most **{peak:.1f} MiB**; the target is {MEMORY[name]} MiB.")
    if PLAIN in figures:
        print(f"\nWith OpenSSL alone it takes **{ratios(figures[PLAIN], figures[OURS]):.2f}×** as long: what the two lanes "
              "are kept for.")
    if TERMINAL in figures:
        print(f"\nThe line of progress, drawn {drawn} times in {len(figures[TERMINAL])} runs, costs "
              f"**{(ratios(figures[TERMINAL], figures[QUIET]) - 1) * 100:+.1f} %**; the target is 1 %.")
    sys.stdout.flush()


def print_waiting(figures):
    print(f"\n## {TITLES['waiting']}\n")
    print("| command | its own CPU time for each second of waiting, ms |")
    print("|---|---|")
    for title, cost in figures.items(): print(f"| {title} | {cost:.2f} |")
    print("\nThe target is 1 ms.")
    sys.stdout.flush()


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def main():
    if len(sys.argv) != 8:
        sys.exit(__doc__)
    program, peers, data = (pathlib.Path(argument).absolute() for argument in sys.argv[1:4])
    plain = pathlib.Path(sys.argv[7]).absolute() if sys.argv[7] else None
    bench = Bench(program, peers, data, int(sys.argv[4]), sys.argv[5], plain)
    only = sys.argv[6].lower().split(",") if sys.argv[6] else list(TITLES)
    print("# Benchmarks\n")
    print("How long a step takes beside other tools, and beside the least that this machine can do.\n")
    print("## How it was measured\n")
    print(f"By `scripts/bench`, on {processor()} with {PROCESSORS} cores; medians of {bench.rounds} rounds with "
          "all files in memory, the commands taking turns. Materials and products are the whole folder, the command is `true`, "
          "the key is Ed25519. The limit is a C program that walks and hashes two files at a time on each core, and "
          "does nothing else; signing is that of the same link.")
    for name in only:
        if name == "waiting":
            print_waiting(bench.waiting())
        else:
            bench.drawn = 0
            print_table(name, bench.streams() if name == "streams" else bench.measure(name), bench.drawn)


main()
