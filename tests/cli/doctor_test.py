#!/usr/bin/env python3
"""What `fusetune doctor` says of devices, and its exit codes."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

FUSETUNE = os.environ["FUSETUNE"]
GPU = """simulation: gpu
memory_bytes: 8388608
cache_bytes: 131072
queue: {copy_bytes_per_us: 2000, cached: 0.4}
"""


class Doctor(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.here = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def run_doctor(self, *arguments, script=None):
        environment = dict(os.environ)
        if script is not None:
            (self.here / "script.yaml").write_text(script)
            environment["FUSETUNE_SIMULATION"] = str(self.here / "script.yaml")
        return subprocess.run([FUSETUNE, "--store", str(self.here / "store"), *arguments], capture_output=True, text=True,
                              env=environment, cwd=self.here)

    def test_a_simulated_gpu(self):
        done = self.run_doctor("doctor", "--device", "simulated", script=GPU + "other_users: [somebody]\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)
        self.assertLessEqual(len(done.stdout.splitlines()), 30, "one screen")
        for words in ("can gate at 3 %", "ticks of 0.500 us", "by graph", "128.0 KiB by reads", "somebody", "2:1", "strided"):
            self.assertIn(words, done.stdout)
        self.assertEqual(json.loads((self.here / "store/doctor/simulated-w64.json").read_text())["calibration"]["cache_bytes"], 131072)

    def test_noise(self):
        done = self.run_doctor("--json", "doctor", "--device", "simulated", script=GPU + "noise: {sample: 0.25}\n")
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        document = json.loads(done.stdout)
        self.assertFalse(document["can_gate"])
        self.assertGreater(document["gate_share"], 0.03)

    def test_kernels_that_compute_something_else(self):
        done = self.run_doctor("doctor", "--device", "simulated", script=GPU + "faults: [{fault: wrong_result, entry: calibrate_add}]\n")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn("calibrate_add", done.stdout)

    def test_the_host(self):
        done = self.run_doctor("--json", "doctor", "--device", "host-w64")
        self.assertIn(done.returncode, (0, 3), done.stdout + done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual(document["status"], "ok")
        self.assertEqual([floor["path"] for floor in document["floors"]], ["call"])
        self.assertEqual({one["mix"] for one in document["bandwidth"]}, {"1:0", "0:1", "1:1", "2:1", "1:1 strided"})
        self.assertTrue(all(one["gb_s"] > 0 for one in document["bandwidth"]))

    def test_no_such_device(self):
        done = self.run_doctor("doctor", "--device", "hots-w64")
        self.assertEqual(done.returncode, 64)
        self.assertIn("host-w64", done.stderr)


if __name__ == "__main__":
    unittest.main()
