"""bench.py PROGRAM PEERS DATA ROUNDS quick|full [W1,W2…]

Measures PROGRAM (intoto-run) beside the Python implementation in PEERS (a folder of programs), beside plain hashing and
beside the limit, on the workloads in DATA, where `measure` and `limit` are too. The commands take turns (A B C A B C).
Prints Markdown.
"""

import base64
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

TITLES = {
    "w0": "W0: an empty folder",
    "w1": "W1: one large file",
    "w2": "W2: many files, as in a kernel's source",
    "w3": "W3: files as below /usr",
    "w4": "W4: very many small files in deep folders",
    "w6": "W6: ten large files",
}
OURS, PYTHON, LIMIT, SIGNING = "intoto-run", "in-toto 3.1.0 (Python)", "limit, two passes", "openssl, signing"
REUSE = "intoto-run --reuse-unchanged"
HASH_ONLY = "hashing as many bytes of memory, twice"
# The most that a run may take, in times of the limit's two passes and the signing.
TARGETS = {"w1": 1.10, "w2": 1.25, "w3": 1.25, "w4": 1.3, "w6": 1.15}


class Bench:
    def __init__(self, program, peers, data, rounds, size):
        self.program, self.peers, self.data, self.rounds, self.size = program, peers, data, rounds, size
        for folder in ("ours", "python"):
            shutil.rmtree(data / folder, ignore_errors=True)
            (data / folder).mkdir()

    def ours(self, name, *options):
        return [self.program, "-n", name, "-k", self.data / "key.pem", "--format", "link", "-d", self.data / "ours",
                "--overwrite", *options, "-m", ".", "-p", ".", "--", "true"]

    def commands(self, name, directory):
        """What is compared, by name; the first is what the others are compared with."""
        twice = lambda command: ["sh", "-c", f"{{ {command}; {command}; }} >/dev/null"]
        result = {OURS: self.ours(name)}
        if name in ("w1", "w3", "w6"):
            result[REUSE] = self.ours(name, "--reuse-unchanged")
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
            result["sha256sum on 2 cores, twice"] = twice("find . -type f -print0 | xargs -0 -P2 -n200 sha256sum")
            result[SIGNING] = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.data / "key.pem",
                               "-in", self.data / "payload", "-out", self.data / "signature"]
        return result

    def run(self, command, directory):
        """Seconds, CPU seconds and peak MiB of one run that has to succeed."""
        report = self.data / "measured"
        done = subprocess.run([self.data / "measure", report, *command], cwd=directory, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
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
        (self.data / "payload").write_bytes(canonical(signed(self.data / "ours", name)))
        table = self.commands(name, directory)
        if LIMIT in table:
            self.run(table[LIMIT], directory)
        figures = {title: [] for title in table}
        rounds = self.rounds * 4 if name == "w0" else self.rounds
        for _ in range(rounds):
            for title, command in table.items():
                figures[title].append(self.run(command, directory))
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


def print_table(name, figures):
    print(f"\n## {TITLES[name]}\n")
    print("| command | wall, s: median (min–max) | time of intoto-run × | CPU, s | peak memory, MiB |")
    print("|---|---|---|---|---|")
    for title, rows in figures.items():
        wall, cpu, rss = zip(*rows)
        print(f"| {title} | {statistics.median(wall):.3f} ({min(wall):.3f}–{max(wall):.3f}) "
              f"| {ratios(rows, figures[OURS]):.2f} | {statistics.median(cpu):.3f} | {statistics.median(rss):.1f} |")
    if name in TARGETS:
        bases = [HASH_ONLY] if name == "w1" else [LIMIT, SIGNING]
        floor = [(sum(row[0] for row in rows),) for rows in zip(*(figures[title] for title in bases))]
        print(f"\nThe run takes **{ratios(figures[OURS], floor):.2f}×** of {' + '.join(bases)}; "
              f"the target is {TARGETS[name]}.")
    sys.stdout.flush()


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def main():
    if len(sys.argv) not in (6, 7):
        sys.exit(__doc__)
    program, peers, data = (pathlib.Path(argument).absolute() for argument in sys.argv[1:4])
    bench = Bench(program, peers, data, int(sys.argv[4]), sys.argv[5])
    only = sys.argv[6].lower().split(",") if sys.argv[6:] and sys.argv[6] else list(TITLES)
    print("# Benchmarks\n")
    print("How long a step takes beside other tools, and beside the least that this machine can do.\n")
    print("## How it was measured\n")
    print(f"By `scripts/bench`, on {processor()} with {os.cpu_count()} cores; medians of {bench.rounds} rounds with "
          "all files in memory, the commands taking turns. Materials and products are the whole folder, the command is `true`, "
          "the key is Ed25519. The limit is a C program that walks and hashes two files at a time on each core, and "
          "does nothing else; signing is that of the same link.")
    for name in only:
        print_table(name, bench.measure(name))


main()
