"""Runs the suites of the copy in which guards can be removed: see scripts/guards."""

import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time


class Tests:
    def __init__(self, tree, build):
        self.tree = tree
        self.program = glob.glob(os.path.join(build, "debug", "*PackageTests.xctest"))[0]
        self.intoto_run = os.path.join(build, "release", "intoto-run")
        self.sound = set()  # suites that have passed with every guard in place since this began

    def run(self, suites, variables, limit):
        """Runs suites until a test fails: (what failed, or nothing; how many tests ran; seconds)."""
        filters = "^(" + "|".join(re.escape(suite) for suite in suites) + ")/"
        start = time.monotonic()
        process = subprocess.Popen(
            [self.program, "--testing-library", "swift-testing", "--filter", filters], cwd=self.tree,
            env=dict(os.environ, INTOTO_RUN=self.intoto_run, **variables),
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

    def is_right(self, failure, batch, limit):
        """Whether it is the removal that the failure shows: the same suites pass with every guard in place.

        Of an issue that a test has recorded once a session is enough; what ended otherwise, such as too late, may be the
        machine's doing, and is compared with a run right now.
        """
        is_issue = "recorded an issue" in failure
        place = re.search(r" at (\w+?)(\+\w+)?\.swift:", failure)
        failed = [suite for suite in batch if is_issue and place and suite.endswith("." + place.group(1))] or batch
        if is_issue and self.sound.issuperset(failed):
            return True
        problem, _, _ = self.run(failed, {}, limit)
        if problem:
            print(f"  with every guard in place: {problem[:150]}", file=sys.stderr, flush=True)
            return False
        self.sound.update(failed)
        return True
