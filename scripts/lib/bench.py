"""bench.py PROGRAM PEERS DATA MEASURE ROUNDS quick|full

Measures PROGRAM (intoto-run) beside the Python implementation in PEERS (a folder of programs) and beside plain hashing,
on workloads kept in DATA; the commands take turns (A B C A B C). Prints Markdown. MEASURE is measure.c, compiled.
"""

import base64
import json
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import sys

SIZES = {"quick": {"files": 10_000, "big": 256 << 20}, "full": {"files": 100_000, "big": 4 << 30}}


# Workloads: deterministic, made once.

def make_tree(path, files):
    """Sizes as in a kernel's source: log-normal, 4 KiB in the mean; a hundred files in each folder."""
    source = random.Random(2)
    pool = source.randbytes(8 << 20)
    for index in range(files):
        folder = path / f"sub{index // 4000:02}" / f"dir{index // 100 % 40:02}"
        if index % 100 == 0:
            folder.mkdir(parents=True)
        size = max(1, min(int(source.lognormvariate(7.41, 1.35)), 1 << 20))
        start = source.randrange(len(pool) - size)
        (folder / f"file{index % 100:02}.c").write_bytes(pool[start:start + size])


def make_big_file(path, size):
    source = random.Random(1)
    path.mkdir(parents=True)
    with open(path / "big.bin", "wb") as file:
        for _ in range(size >> 20):
            file.write(source.randbytes(1 << 20))


def workload(data, name, make):
    """The folder of the workload; one that was left unfinished is made again."""
    path, done = data / name, data / f"{name}.done"
    if not done.exists():
        shutil.rmtree(path, ignore_errors=True)
        make(path)
        done.touch()
    return path


# Commands: what is compared on a workload, by name.

def commands(program, peers, data, name, plain):
    """`plain` is the name and the shell command of one pass of plain hashing, if that is to be compared."""
    key, ours, theirs = data / "key.pem", data / "ours", data / "python"
    result = {
        "intoto-run": [program, "-n", name, "-k", key, "--format", "link", "-d", ours, "--overwrite",
                       "-m", ".", "-p", ".", "--", "true"],
        "in-toto 3.1.0 (Python)": [peers / "in-toto-run", "-n", name, "--signing-key", key, "-d", theirs,
                                   "--run-timeout", "3600", "-m", ".", "-p", ".", "--", "true"],
    }
    if plain:
        # Twice, as both runners read everything before the command and again after it.
        title, command = plain
        result[f"{title}, twice"] = ["sh", "-c", f"{{ {command}; {command}; }} >/dev/null"]
    return result


def run(measure, command, directory, report):
    """Seconds, CPU seconds and peak MiB of one run that has to succeed."""
    done = subprocess.run([measure, report, *command], cwd=directory, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: could not measure {command[0]}")
    wall, user, system, rss, status = map(int, pathlib.Path(report).read_text().split())
    if status != 0:
        sys.exit(f"bench: {command[0]} ended with status {status}\n{done.stderr}")
    return wall / 1e6, (user + system) / 1e6, rss / 1024


def measure_all(measure, table, directory, rounds, report):
    """One round to warm up, then the rounds that count."""
    figures = {name: [] for name in table}
    for number in range(rounds + 1):
        for name, command in table.items():
            figure = run(measure, command, directory, report)
            if number:
                figures[name].append(figure)
    return figures


def recorded(folder, name):
    """Materials and products of the one link in the folder."""
    [path] = folder.glob(f"{name}.*.link")
    content = json.loads(path.read_text())
    link = content["signed"] if "signed" in content else json.loads(base64.b64decode(content["payload"]))
    return link["materials"], link["products"]


def print_table(title, figures):
    base = next(iter(figures.values()))
    print(f"\n### {title}\n")
    print("| command | wall, s: median (min–max) | time of intoto-run × | CPU, s | peak memory, MiB |")
    print("|---|---|---|---|---|")
    for name, rows in figures.items():
        wall, cpu, rss = zip(*rows)
        ratio = statistics.median(row[0] / other[0] for row, other in zip(rows, base))
        print(f"| {name} | {statistics.median(wall):.3f} ({min(wall):.3f}–{max(wall):.3f}) | {ratio:.2f} "
              f"| {statistics.median(cpu):.3f} | {statistics.median(rss):.1f} |")
    sys.stdout.flush()


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def main():
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    program, peers, data, measure = (pathlib.Path(argument).resolve() for argument in sys.argv[1:5])
    rounds, size = int(sys.argv[5]), sys.argv[6]
    for folder in ("ours", "python", "w0"):
        shutil.rmtree(data / folder, ignore_errors=True)
        (data / folder).mkdir(parents=True)
    files, big = SIZES[size]["files"], SIZES[size]["big"]
    tree = workload(data, f"tree-{files}", lambda path: make_tree(path, files))
    one = workload(data, f"big-{big >> 20}", lambda path: make_big_file(path, big))
    cases = [
        ("w0", "Empty folder", data / "w0", None),
        ("w2", f"{files:,} files, 4 KiB in the mean", tree,
         ("sha256sum on 2 cores", "find . -type f -print0 | xargs -0 -P2 -n500 sha256sum")),
        ("w1", f"One file of {big >> 20:,} MiB", one, ("openssl dgst -sha256", "openssl dgst -sha256 big.bin")),
    ]
    print(f"{processor()}, {os.cpu_count()} cores, Linux {platform.release()}; {rounds} rounds; "
          "materials and products are the whole folder, the command is `true`")
    for name, title, directory, plain in cases:
        table = commands(program, peers, data, name, plain)
        print_table(title, measure_all(measure, table, directory, rounds, data / "report"))
        if recorded(data / "ours", name) != recorded(data / "python", name):
            sys.exit(f"bench: the two runners do not agree on what is in {directory}")


main()
