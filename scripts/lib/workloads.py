"""workloads.py DATA quick|full

Makes the trees that `scripts/bench` measures, below DATA: the same bytes on every machine. One that is there is kept,
one that was left unfinished is made again.
"""

import os
import pathlib
import random
import shutil
import subprocess
import sys

MIB = 1 << 20
POOL = random.Random(1).randbytes(8 * MIB)


def write(path, size, source):
    """A file of pseudo-random bytes that no other file begins with."""
    with open(path, "wb", buffering=0) as file:
        while size > 0:
            start = source.randrange(len(POOL) // 2)
            part = POOL[start:start + min(size, MIB)]
            file.write(part)
            size -= len(part)


def folders(path, count, depth, source):
    """`count` folders below `path` and itself, none deeper than `depth`; as unbalanced as real trees are."""
    found = [(path, 0)]
    path.mkdir(parents=True)
    while len(found) < count:
        parent, level = found[-1] if source.random() < 0.5 else source.choice(found)
        if level < depth:
            folder = parent / f"d{len(found)}"
            folder.mkdir()
            found.append((folder, level + 1))
    return [folder for folder, _ in found]


def fill(path, files, count, depth, size):
    """`files` files in `count` folders, each of `size(source)` bytes."""
    source = random.Random(path.name)
    places = folders(path, count, depth, source)
    for index in range(files):
        write(places[index * count // files] / f"file{index}.c", size(source), source)


def log_normal(mean, deviation, limit):
    return lambda source: max(1, min(int(source.lognormvariate(mean, deviation)), limit))


def system_size(source):
    """As below /usr: most of the bytes in the few files that are large."""
    return log_normal(14.2, 0.9, 64 * MIB)(source) if source.random() < 0.014 else log_normal(7.7, 1.5, 1 << 18)(source)


def large_files(path, files, size):
    source = random.Random(path.name)
    path.mkdir(parents=True)
    for index in range(files):
        write(path / f"big{index}.bin", size, source)


def repository(path, files):
    """A clean git repository, its objects packed, as a clone has them."""
    fill(path, files, max(1, files // 50), 4, log_normal(7.41, 1.35, MIB))
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "made"], ["gc", "-q"]):
        # A commit may start its own collection in the background, which would be in the way of the last command.
        subprocess.run(["git", *identity, "-c", "gc.auto=0", *command], cwd=path, check=True)


def makers(size):
    """The workloads by name."""
    share = 1 if size == "full" else 10
    big = (4 << 30, 512 * MIB) if size == "full" else (512 * MIB, 64 * MIB)
    return {
        "w0": lambda path: path.mkdir(parents=True),
        "git": lambda path: repository(path, 10_000 // share),
        "w1": lambda path: large_files(path, 1, big[0]),
        "w2": lambda path: fill(path, 100_000 // share, 1_026 // share, 4, log_normal(7.41, 1.35, MIB)),
        "w3": lambda path: fill(path, 74_004 // share, 7_183 // share, 12, system_size),
        "w4": lambda path: fill(path, 300_000 // share, 30_929 // share, 21, log_normal(6.3, 1.0, 64 << 10)),
        "w6": lambda path: large_files(path, 10, big[1]),
    }


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ("quick", "full"):
        sys.exit(__doc__)
    data, size = pathlib.Path(sys.argv[1]), sys.argv[2]
    needed = (18 << 30) if size == "full" else (2 << 30)
    missing = {name: make for name, make in makers(size).items() if not (data / size / f"{name}.done").exists()}
    if missing and shutil.disk_usage(data).free < needed:
        sys.exit(f"bench: {data} needs {needed >> 30} GiB of free space; name another folder with BENCH_DATA")
    for name, make in missing.items():
        path = data / size / name
        shutil.rmtree(path, ignore_errors=True)
        print(f"bench: making {path}", file=sys.stderr)
        make(path)
        (data / size / f"{name}.done").touch()
    os.sync()


main()
