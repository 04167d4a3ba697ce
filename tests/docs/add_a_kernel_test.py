"""docs/add-a-kernel.md, followed: its files are written into a folder, its commands run, and a planted bug is found."""

import os
import pathlib
import re
import shlex
import subprocess
import sys

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
import harness  # noqa: E402

GUIDE = (harness.ROOT / "docs/add-a-kernel.md").read_text()
KERNEL = "my-kernels/silu_and_mul/silu_and_mul.hip"
FAMILY = "my-kernels/silu_and_mul/family.yaml"
VECTORS = "my-kernels/silu_and_mul/silu.safetensors"
REFERENCE = "reference/silu_and_mul.cpp"
MUTANTS = "tests/mutants/silu_and_mul.yaml"


def files_of_the_guide():
    """A line that is a name in backquotes, and the block of code below it."""
    return dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", GUIDE, re.M | re.S))


def commands_of_the_guide():
    return [line for block in re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.M | re.S) for line in block.splitlines()]


def changes_of_part_b():
    """The table of what family.yaml has instead, once there is a reference."""
    table = GUIDE[GUIDE.index("| instead of | write |"):].split("\n\n")[0]
    rows = [re.findall(r"`([^`]+)`|(nothing)", line) for line in table.splitlines()[2:]]
    return [(old, new) for (old, _), (new, _) in rows]


class AddAKernel(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        self.files = files_of_the_guide()
        self.assertEqual(sorted(self.files), sorted([KERNEL, FAMILY, "capture.py", REFERENCE, MUTANTS, "sweep.yaml"]))
        for name, text in self.files.items():
            self.write(name, text)
        self.kernels = self.environment(FUSETUNE_KERNEL_PATH=str(self.dir / "my-kernels"))
        subprocess.run([sys.executable, "capture.py"], cwd=self.dir, check=True)

    def follow(self, line, *more):
        """A command of the guide; it must stand there as it is asked for. What is added makes it shorter."""
        self.assertIn(line, commands_of_the_guide())
        words = shlex.split(line)
        self.assertEqual(words[0], "fusetune")
        return self.run_program(*words[1:], *more, environment=self.kernels)

    def change_family(self, changes):
        text = self.files[FAMILY]
        for old, new in changes:
            self.assertEqual(text.count(old), 1, old)
            text = text.replace(old, new)
        self.write(FAMILY, text)

    def test_every_command_is_known_to_this_test(self):
        text = pathlib.Path(__file__).read_text()
        self.assertEqual([line for line in commands_of_the_guide() if line not in text], [])

    def test_part_a_proves_and_tunes_the_kernel(self):
        self.assertIn("python3 capture.py", commands_of_the_guide())
        self.assertIn("export FUSETUNE_KERNEL_PATH=$PWD/my-kernels", commands_of_the_guide())
        golden = self.follow("fusetune golden my-kernels/silu_and_mul/silu.safetensors")
        self.assertEqual(golden.returncode, 0, golden.stdout + golden.stderr)
        self.assertIn("8 of 8 cases agree", golden.stdout)
        self.assertIn("no reference compared in 4 cases", golden.stdout)
        verify = self.follow("fusetune verify silu_and_mul -o width=128 --device host-w64 --device host-w32")
        self.assertEqual(verify.returncode, 0, verify.stdout + verify.stderr)
        for target in ("host-w64", "host-w32"):
            self.assertIn(f"ok: all variants proved on {target}", verify.stdout)
        self.assertIn("than the captured ones: there is no reference", harness.unwrapped(verify.stdout))
        tune = self.follow("fusetune tune sweep.yaml")
        self.assertEqual(tune.returncode, 0, tune.stdout + tune.stderr)
        self.assertIn("at captured cases alone", (self.dir / "results/host-w64/silu_and_mul.yaml").read_text())

    def test_part_a_compiles_for_a_gpu_where_that_is_built(self):
        inspect = self.follow("fusetune inspect --family silu_and_mul -o width=128 --target gfx90a")
        if "amd module was not built" in harness.unwrapped(inspect.stderr):
            self.skipTest("the AMD module is not built here")
        self.assertEqual(inspect.returncode, 0, inspect.stdout + inspect.stderr)

    def test_a_planted_bug_is_found(self):
        mutants = yaml.safe_load(self.files[MUTANTS])["mutants"]
        self.assertEqual(len(mutants), 2)
        for mutant in mutants:
            with self.subTest(mutant["name"]):
                kernel = self.files[KERNEL]
                self.assertEqual(kernel.count(mutant["replace"]), 1)
                self.write(KERNEL, kernel.replace(mutant["replace"], mutant["with"]))
                documents = self.run_json("golden", VECTORS, "--space", 1, environment=self.kernels, expect=2)
                for document in documents:
                    failed = [case["name"] for case in document["cases"] if not case["passed"]]
                    self.assertIn("some", failed)

    def test_part_b_is_valid_but_for_the_build(self):
        changes = changes_of_part_b()
        self.assertEqual(len(changes), 4)
        self.change_family(changes)
        plan = self.follow("fusetune tune sweep.yaml --dry-run")
        self.assertEqual(plan.returncode, 0, plan.stdout + plan.stderr)
        verify = self.follow("fusetune verify silu_and_mul -o width=128 -o act=fp16,bf16", "--space", 2)
        self.assertEqual(verify.returncode, 2, verify.stdout + verify.stderr)
        # Every variant compiles and runs; what is missing is the reference, and nothing else.
        self.assertIn("there is no reference 'silu_and_mul'", harness.unwrapped(verify.stdout))
        self.assertNotIn("compile_error", verify.stdout)
        self.assertIn("fusetune selftest silu_and_mul", commands_of_the_guide())

    def test_the_reference_compiles(self):
        compiler = [os.environ["CXX"], "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", str(harness.ROOT),
                    "-isystem", os.environ["EIGEN"]]
        result = subprocess.run([*compiler, self.dir / REFERENCE], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    harness.main()
