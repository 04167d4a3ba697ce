"""examples/consumer, built from an installed fusetune in a folder that did not exist, launches what its table says."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness

BUILD = pathlib.Path(os.environ["FUSETUNE_BUILD"])
SWEEP = """
sweep: consumer
device: host-w64
space: 4
families:
  - family: split_reshape_cat
    symbols: [{nk: 2, nv: 6}, {nk: 4, nv: 8}]
    options: {layout: contiguous}
    tokens: [1, 16]
measure: {data: hot, budget_s: 2}
"""
# Every check of the consumer, with a bug that it alone or first finds, and what it says of it.
PLANTS = {"other-row": "launch 0: expected", "other-grid": "launch 0: expected", "lost-launch": "nothing was launched",
          "late-compilation": "would have to be compiled now", "changed-define": "the row was measured with"}


def run(*arguments, check=True, **keywords):
    result = subprocess.run([*map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                            timeout=300, **keywords)
    if check and result.returncode != 0:
        raise AssertionError(f"{arguments}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result


class ConsumerTest(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="fusetune-test-")
        cls.addClassCleanup(scratch.cleanup)
        cls.root = pathlib.Path(scratch.name)
        run("cmake", "--install", BUILD, "--prefix", cls.root / "installed")
        # Moved: nothing in it may know where it was installed to.
        cls.prefix = cls.root / "moved"
        (cls.root / "installed").rename(cls.prefix)
        cls.plain = {name: value for name, value in os.environ.items() if not name.startswith("FUSETUNE")}
        (cls.root / "sweep.yaml").write_text(SWEEP)
        run(cls.prefix / "bin/fusetune", "tune", "sweep.yaml", cwd=cls.root, env={**cls.plain, "CI": "true"})
        cls.table = cls.root / "results/host-w64/split_reshape_cat.yaml"
        cls.build = cls.root / "build"
        cls.configure(harness.ROOT / "examples/consumer", cls.build, f"-DTABLE={cls.table}")
        run("cmake", "--build", cls.build)

    @classmethod
    def configure(cls, source, build, *arguments, check=True):
        return run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={cls.prefix}",
                   *arguments, env=cls.plain, check=check)

    def consume(self, *arguments):
        return run(self.build / "consumer", "host-w64", *arguments, env=self.plain, check=False)

    def test_what_the_table_chose_is_what_is_launched(self):
        result = self.consume()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"\b[4-9] calls, [2-4] codes, [2-4] compilations, 0 problems")
        # Launches are of code that the table names.
        named = {line.split("'")[1] for line in self.table.read_text().splitlines() if "code_identity" in line}
        seen = {line.rsplit(" ", 1)[1] for line in result.stdout.splitlines() if "bytes of LDS, code" in line}
        self.assertEqual(seen, named)

    def test_the_replay_program_is_a_test_of_the_project(self):
        result = run("ctest", "--test-dir", self.build, "--output-on-failure", env=self.plain)
        self.assertIn("fusetune.replay.split_reshape_cat", result.stdout)
        self.assertIn("100% tests passed, 0 tests failed out of 2", result.stdout)

    def test_every_planted_bug_is_found(self):
        for plant, said in PLANTS.items():
            result = self.consume("--plant", plant)
            self.assertEqual(result.returncode, 1, (plant, result.stdout, result.stderr))
            self.assertIn(said, result.stdout, plant)

    def test_a_kernel_that_was_edited_after_it_was_measured_is_strange(self):
        copy = self.dir / "share"
        shutil.copytree(self.prefix / "share/fusetune", copy)
        with open(copy / "kernels/split_reshape_cat/split_reshape_cat.hip", "a") as file:
            file.write("// edited\n")
        with open(copy / "kernels/split_reshape_cat/unfused.hip", "a") as file:
            file.write("// edited\n")
        result = run(self.build / "consumer", "host-w64", env={**self.plain, "FUSETUNE_ROOT": str(copy)}, check=False)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn("its source is", result.stdout)
        self.assertNotIn("its code is", result.stdout)  # a remark is no code

    def test_the_installed_sources_are_the_ones_that_are_used(self):
        hidden = self.prefix / "share/fusetune/kernels/split_reshape_cat"
        hidden.rename(self.dir / "hidden")
        self.addCleanup(lambda: (self.dir / "hidden").rename(hidden))
        result = self.consume()
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertIn("split_reshape_cat", result.stderr)

    def test_only_what_is_meant_for_others_is_installed(self):
        files = {str(path.relative_to(self.prefix)) for path in self.prefix.rglob("*") if path.is_file()}
        self.assertEqual({file for file in files if file.startswith("include")}, {"include/fusetune/runtime.hpp"})
        self.assertIn("lib/cmake/fusetune/fusetuneConfig.cmake", files)
        for name in ("fusetuneConfig.cmake", "fusetuneTargets.cmake", "fusetune_header.cmake"):
            text = (self.prefix / "lib/cmake/fusetune" / name).read_text()
            self.assertNotIn(str(harness.ROOT), text)
            self.assertNotIn(str(self.root), text)

    def test_wrong_tables_are_refused_in_words(self):
        def refused(tables, said):
            self.write("CMakeLists.txt", "cmake_minimum_required(VERSION 3.25)\nproject(p LANGUAGES CXX)\n"
                       f"find_package(fusetune REQUIRED)\nadd_library(p INTERFACE)\nfusetune_header(p {tables})\n")
            result = self.configure(self.dir, self.dir / "build", check=False)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(said, harness.unwrapped(result.stderr))
        refused("", "is given no table")
        refused("nowhere.yaml", "there is no")
        refused(f"{self.table} {self.table}", "two tables of split_reshape_cat")
        (self.dir / "mrope.yaml").write_text("")
        shutil.copy(self.table.parent / "fusetune_split_reshape_cat.hpp", self.dir / "fusetune_mrope.hpp")
        refused("mrope.yaml", "is no header of mrope")


if __name__ == "__main__":
    harness.main()
