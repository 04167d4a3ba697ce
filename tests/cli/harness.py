"""What the tests of the whole program share: a scratch folder, the program, and its output."""

import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ["FUSETUNE"]

SMALL_SWEEP = """
sweep: small
device: host-w64
space: 6
families:
  - family: split_reshape_cat
    models: [qwen3.5-27b@tp8]
    options: {layout: contiguous}
    tokens: {1: 0.5, 16: 0.5}
measure: {data: hot, budget_s: 2}
"""


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self._scratch = tempfile.TemporaryDirectory(prefix="fusetune-test-")
        self.addCleanup(self._scratch.cleanup)
        self.dir = pathlib.Path(self._scratch.name)

    def environment(self, **more):
        return {**os.environ, "CI": "true", **more}

    def run_program(self, *arguments, environment=None, cwd=None, timeout=300):
        return subprocess.run(
            [PROGRAM, *map(str, arguments)], cwd=cwd or self.dir, env=environment or self.environment(),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)

    def start_program(self, *arguments, environment=None):
        return subprocess.Popen(
            [PROGRAM, *map(str, arguments)], cwd=self.dir, env=environment or self.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run_json(self, *arguments, expect=0, **keywords):
        result = self.run_program("--json", *arguments, **keywords)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def wait_for_steps(process, folder, count):
    """Until a campaign that runs in this folder has recorded so many steps."""
    for _ in range(12000):
        try:
            with sqlite3.connect(f"file:{folder}/.fusetune/records.sqlite?mode=ro", uri=True) as db:
                if db.execute("SELECT count(*) FROM steps").fetchone()[0] >= count:
                    return
        except sqlite3.OperationalError:
            pass  # it is about to be made
        if process.poll() is not None:
            raise AssertionError("the run ended too early")
        time.sleep(0.005)
    raise AssertionError(f"no {count} steps were recorded")


def unwrapped(text):
    """Messages are wrapped at blanks to the line width."""
    return " ".join(text.split())


def main():
    unittest.main(verbosity=2)
