"""Sessions that documentation shows: run in a copy of Examples/hello-c, and compared by their shape."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Differs from run to run: compared by its shape only.
VARYING = [
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"\b\d+(\.\d+)? ?m?s\b", "DURATION"),
    (r'-ms":\d+', "DURATION"),
    (r'"size":\d+', "SIZE"),
    (r"\b[0-9a-f]{7,}\b", "HEX"),
    (r"/tmp/tmp\w+/", "TEMPORARY/"),
]


def run_session(commands):
    """What each command prints, stdout and stderr as a terminal would show them, in one shell."""
    with tempfile.TemporaryDirectory() as work:
        project = pathlib.Path(work, "hello-c")
        shutil.copytree(ROOT / "Examples/hello-c", project)
        program = pathlib.Path(os.environ.get("INTOTO_RUN") or ROOT / ".build/debug/intoto-run").resolve()
        os.mkdir(f"{work}/bin")
        os.symlink(program, f"{work}/bin/intoto-run")
        environment = {"PATH": f"{work}/bin:{os.environ['PATH']}", "HOME": work, "LC_ALL": "C.UTF-8"}
        mark = "--- next ---"
        script = "".join(f"{command}\necho '{mark}'\n" for command in commands)
        shell = subprocess.run(["bash"], input=script, cwd=project, env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    outputs = shell.stdout.split(mark + "\n")
    if len(outputs) != len(commands) + 1:
        sys.exit(f"the session did not run to its end:\n{shell.stdout}")
    return outputs[:-1]


def shape(text):
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return text


def help_of(script):
    """The comment that a script begins with."""
    lines = pathlib.Path(script).read_text().split("\n\n")[0].splitlines()[1:]
    return "\n".join(line[2:] for line in lines)
