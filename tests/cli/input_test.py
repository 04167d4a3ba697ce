"""Bad input: exit code 64, the place, what was expected, the nearest name; and nothing is written."""

import re

import harness

CASES = {
    "unknown family": ("family: split_reshape_cat", "family: split_reshap_cat",
                       [":6:", "unknown family 'split_reshap_cat'", "did you mean 'split_reshape_cat'"]),
    "unknown model": ("qwen3.5-27b@tp8", "qwen3.5-27@tp8", [":7:", "qwen3.5-27b"]),
    "unlisted split": ("qwen3.5-27b@tp8", "qwen3.5-27b@tp3", [":7:", "tp3"]),
    "unknown option": ("layout: contiguous", "layuot: contiguous", [":8:", "layuot", "did you mean 'layout'"]),
    "unknown value": ("layout: contiguous", "layout: contigous", [":8:", "contigous", "contiguous"]),
    "duplicate key": ("device: host-w64", "device: host-w64\ndevice: host-w32", [":4:", "device"]),
    "number with a leading zero": ("space: 6", "space: 010", [":4:", "010"]),
    "unknown key": ("measure:", "mesure:", [":10:", "mesure", "did you mean 'measure'"]),
    "unknown axis": ("    tokens:", "    axes: {block_sise: 64}\n    tokens:", ["block_sise", "did you mean 'block_size'"]),
    "value outside an axis' range": ("    tokens:", "    axes: {rows_per_iter: 65}\n    tokens:", ["65", "64"]),
    "ratio not whole": ("models: [qwen3.5-27b@tp8]", "symbols: [{nk: 2, nv: 3}]", [":7:", "whole"]),
    "stride below the width": ("    tokens:", "    strides: {qkvz: 8}\n    tokens:", ["qkvz"]),
    "nothing to run": ("models: [qwen3.5-27b@tp8]", "models: []", ["models"]),
    "unknown device": ("host-w64", "host-w46", ["host-w46"]),
}


class BadSweeps(harness.ProgramTest):
    def test_message_and_exit_code(self):
        for name, (old, new, expected) in CASES.items():
            with self.subTest(name):
                self.assertIn(old, harness.SMALL_SWEEP)
                sweep = self.write("bad.yaml", harness.SMALL_SWEEP.replace(old, new))
                result = self.run_program("tune", sweep)
                self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
                for part in expected:
                    self.assertIn(part, harness.unwrapped(result.stderr))
                self.assertFalse((self.dir / ".fusetune").exists())
                self.assertFalse((self.dir / "results").exists())

    def test_constraint_that_leaves_nothing_is_named(self):
        text = harness.SMALL_SWEEP.replace(
            "    tokens:", "    axes: {vector_bytes: 16}\n    filter: [vector_bytes < 16]\n    tokens:")
        result = self.run_program("tune", self.write("bad.yaml", text))
        self.assertEqual(result.returncode, 64)
        self.assertIn("vector_bytes < 16", result.stderr)

    def test_missing_file(self):
        result = self.run_program("tune", "nowhere.yaml")
        self.assertEqual(result.returncode, 64)
        self.assertIn("nowhere.yaml", result.stderr)
        self.assertIn("No such file", result.stderr)


class BadCommandLines(harness.ProgramTest):
    def test_usage(self):
        for arguments in ([], ["tone"], ["verify"], ["list", "everything"], ["--jobs", "-3", "devices"],
                          ["verify", "split_reshape_cat", "--model", "all", "--tokens", "-1"]):
            with self.subTest(arguments):
                self.assertEqual(self.run_program(*arguments).returncode, 64)

    def test_each_is_one_short_message(self):
        for arguments, expected in ((["tun", "x.yaml"], "unknown command 'tun'; did you mean 'tune'?"),
                                    (["--store", "x", "lst"], "unknown command 'lst'; did you mean 'list'?"),
                                    (["--kernel-timeout-s", "0", "list"], "--kernel-timeout-s: '0' is no number above 0"),
                                    (["--jobs", "-1", "list"], "--jobs: Value -1 not in range"),
                                    (["--seed", "-1", "list"], "--seed: '-1' is no whole number from 0 up"),
                                    (["--exact-rows", "x", "list"], "--exact-rows: 'x' is no whole number from 0 up"),
                                    ([], "A subcommand is required")):
            with self.subTest(arguments):
                result = self.run_program(*arguments)
                self.assertEqual((result.returncode, result.stdout), (64, ""))
                self.assertIn(expected, harness.unwrapped(result.stderr))
                self.assertLess(len(result.stderr), 400)

    def test_names(self):
        for arguments, expected in (
                (["verify", "split_reshape_cats", "--model", "qwen3.5-27b"], "did you mean 'split_reshape_cat'"),
                (["verify", "split_reshape_cat", "--model", "qwen3.5-72b"], "qwen3.5-27b"),
                (["verify", "split_reshape_cat", "--model", "qwen3.5-27b", "-o", "layot=merged"], "did you mean 'layout'"),
                (["verify", "split_reshape_cat(nk=2,nv=4,tokens=1,layout=merged,hq=3)"], "hq"),
                (["explain", "split_reshape_cat(nk=2,nv=4,tokens=1)"], "fusetune tune"),
                (["inspect", "--family", "split_reshape_cat", "--target", "gfx"], "gfx"),
                (["golden", "nowhere.safetensors"], "nowhere.safetensors")):
            with self.subTest(arguments):
                result = self.run_program(*arguments)
                self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
                self.assertIn(expected, harness.unwrapped(result.stderr))

    def test_a_dry_run_needs_no_gpu(self):
        sweep = self.write("gpu.yaml", harness.SMALL_SWEEP.replace("host-w64", "hip:7"))
        for target, wave in (("gfx942", 64), ("gfx1100", 32), ("sm_90", 32)):
            there = self.run_json("tune", sweep, "--dry-run", "--target", target)
            self.assertTrue(there["compilations"] > 0, there)
            blocks = {int(b) for g in there["geometries"] for v in g["variants"] for b in re.findall(r"block_size=(\d+)", v)}
            self.assertTrue(blocks and all(block % wave == 0 for block in blocks), (target, blocks))
        for arguments, words in ((("--target", "gfx942"), "--dry-run"), (("--dry-run", "--target", "gfx"), "gfx")):
            result = self.run_program("tune", sweep, *arguments)
            self.assertEqual((result.returncode, words in result.stderr), (64, True), result.stderr)
        alone = self.run_program("tune", sweep, "--dry-run")
        if alone.returncode != 0:  # no eighth GPU here
            self.assertIn("--target", harness.unwrapped(alone.stderr))

    def test_an_impossible_variant_is_refused_with_its_rule(self):
        plan = self.run_json("tune", self.write("s.yaml", harness.SMALL_SWEEP), "--dry-run")
        variant = next(v for v in plan["geometries"][0]["variants"] if "implementation" not in v)

        def verify(axis, value, layout):
            changed = re.sub(rf"\b{axis}=\w+", f"{axis}={value}", variant)
            self.assertIn(f"{axis}={value}", changed)
            result = self.run_program("verify", "split_reshape_cat", "--model", "qwen3.5-27b", "--tp", 8, "-o",
                                      "layout=" + layout, "--device", "host-w64", "--variant", changed)
            self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
            return harness.unwrapped(result.stderr)

        self.assertIn("not aligned for accesses this wide", verify("vector_bytes", 16, "merged"))
        self.assertIn("65", verify("rows_per_iter", 65, "contiguous"))

    def test_no_store_is_said_and_none_is_made(self):
        for arguments in (["cache"], ["cache", "info"], ["cache", "clear"],
                          ["explain", "split_reshape_cat(nk=2,nv=4,tokens=1)"]):
            with self.subTest(arguments):
                result = self.run_program("--store", "absent", *arguments)
                self.assertEqual(result.returncode, 64)
                self.assertIn("there is no store at absent", result.stderr)
                self.assertFalse((self.dir / "absent").exists())

    def test_explain_suggests_races_of_its_device_alone(self):
        text = harness.SMALL_SWEEP.replace("{1: 0.5, 16: 0.5}", "[16]").replace("space: 6", "space: 1")
        sweep = self.write("s.yaml", text)
        key = self.run_json("tune", sweep)["rows"][0]["case"]
        other = key.replace("tokens=16", "tokens=17")
        result = self.run_program("explain", other)
        self.assertEqual(result.returncode, 64)
        self.assertIn(key, result.stderr)
        result = self.run_program("explain", key, "--device", "host-w32")
        self.assertEqual(result.returncode, 64)
        self.assertNotIn(key, result.stderr)
        self.assertIn("host-w64", result.stderr)

    def test_lines_of_help_fit(self):
        for command in ([], ["tune"], ["verify"], ["golden"], ["inspect"], ["explain"], ["selftest"], ["list"], ["devices"], ["doctor"],
                        ["cache"], ["cache", "prune"], ["records"], ["records", "list"], ["records", "export"], ["records", "merge"]):
            for line in self.run_program(*command, "--help").stdout.splitlines():
                self.assertLessEqual(len(line), 100, line)

    def test_lists(self):
        lists = self.run_json("list")
        self.assertIn("verification_failed", lists["statuses"])
        text = self.run_program("list").stdout
        self.assertIn("verification_failed", text)
        self.assertNotIn("...", text)
        for what in ("families", "models", "targets", "statuses"):
            lines = self.run_program("list", what).stdout.splitlines()
            self.assertTrue(lines[0].strip(), what)
            self.assertLessEqual(max(map(len, lines)), 100)

    def test_help_names_every_command_and_exit_code(self):
        text = self.run_program("--help").stdout
        for word in ("tune", "verify", "golden", "inspect", "list", "devices", "explain", "cache", "selftest",
                     "Exit codes", "130"):
            self.assertIn(word, text)
        self.assertNotIn("worker ROLE", text)


class BadFiles(harness.ProgramTest):
    def test_what_is_no_sweep(self):
        (self.dir / "folder.yaml").mkdir()
        for name, content, expected in (("empty.yaml", b"", "empty.yaml:1:1: the file is empty"),
                                        ("binary.yaml", b"\x7fELF\x02\x00", "byte 0x7f is no text"),
                                        ("open.yaml", b"{{[", "not valid YAML"),
                                        ("text.yaml", b"hello\n", "expected a map, found 'hello'"),
                                        ("folder.yaml", None, "cannot read folder.yaml: Is a directory"),
                                        ("none.yaml", None, "cannot read none.yaml: No such file or directory")):
            with self.subTest(name):
                if content is not None:
                    (self.dir / name).write_bytes(content)
                result = self.run_program("tune", name)
                self.assertEqual((result.returncode, result.stdout), (64, ""))
                self.assertIn(expected, harness.unwrapped(result.stderr))
                self.assertFalse((self.dir / ".fusetune").exists())


if __name__ == "__main__":
    harness.main()
