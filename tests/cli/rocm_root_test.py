"""scripts/rocm-root where no root can be made: programs of the same names stand for a machine that lacks something."""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class NoRoot(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="fusetune-test-")
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        (self.dir / "bin").mkdir()
        # A machine where everything is there.
        for name, script in {"id": "echo 0", "unshare": "", "wget": "", "debootstrap": ""}.items():
            self.stub(name, script)

    def stub(self, name, script):
        path = self.dir / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run_script(self, *arguments, expect):
        result = subprocess.run(
            [ROOT / "scripts/rocm-root", *arguments, "trixie", self.dir / "root"], capture_output=True, text=True,
            env={**os.environ, "PATH": f"{self.dir / 'bin'}:{os.environ['PATH']}"})
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return result.stdout

    def is_said(self, reason):
        """Skipped where that was asked for, and a failure elsewhere."""
        out = self.run_script("--if-possible", expect=0)
        self.assertIn(f"no trixie root: {reason}", out)
        self.assertIn("skipped: nothing was compiled for gfx942 gfx1100", out)
        self.assertNotIn("skipped", self.run_script(expect=4))

    def test_an_ordinary_user(self):
        self.stub("id", "echo 1000")
        self.is_said("this needs root")

    def test_no_mounts(self):
        self.stub("unshare", "exit 1")
        self.is_said("this needs the right to mount")

    def test_no_network(self):
        self.stub("wget", "exit 4")
        self.stub("debootstrap", f"touch {self.dir}/begun")
        out = self.run_script("--if-possible", "--mirror", "http://mirror.invalid/debian", expect=0)
        self.assertIn("no trixie root: http://mirror.invalid/debian has no trixie or does not answer", out)
        self.is_said("http")
        self.assertFalse((self.dir / "begun").exists())

    def test_a_root_that_cannot_be_made(self):
        self.stub("debootstrap", "echo 'E: no space'; exit 1")
        self.is_said("debootstrap failed")
        self.assertIn("E: no space", self.run_script(expect=4))

    def test_packages_that_cannot_be_installed(self):
        # What runs in the root: the question what is missing, then apt-get.
        self.stub("unshare", 'case "$*" in *dpkg-query*) echo python3 ;; *apt-get*) echo E: 404; exit 100 ;; esac')
        self.is_said("the packages could not be installed")

    def test_a_root_that_cannot_be_entered(self):
        self.stub("unshare", '[ "$*" = "--mount true" ]')
        self.is_said("nothing can be run in it")

    def test_a_folder_of_somebody_else_is_left_alone(self):
        (self.dir / "root").mkdir()
        (self.dir / "root/file").write_text("mine")
        self.assertIn("is no root of ours", self.run_script("--if-possible", expect=64))

    def test_a_sample_needs_trixie(self):
        result = subprocess.run([ROOT / "scripts/rocm-root", "--sample", "2", "forky"], capture_output=True, text=True)
        self.assertEqual(result.returncode, 64)
        self.assertIn("works with trixie alone", result.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
