"""fusetune gate --static on a copy of the tree: what is planted there is found, and every output says so."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

import yaml

import harness
import sarif_rules

KERNEL = "kernels/split_reshape_cat/split_reshape_cat.hip"

SWEEP = """# One family, as few variants as show something.
sweep: small
device: host-w64
also_compile: [gfx90a]
space: 1
families:
  - family: split_reshape_cat
    models:
      - qwen3.5-27b@tp8
    options: {layout: contiguous}
    tokens: [16]
"""
MODEL_LINE = SWEEP.splitlines().index("      - qwen3.5-27b@tp8") + 1

# Registers for a handful of values: the rest goes to memory, on the GPU's compiler alone.
SPILL = ("FT_KERNEL(FT_BLOCK_SIZE)\n", "FT_KERNEL(FT_BLOCK_SIZE)\n#if defined(__AMDGCN__)\n"
         "__attribute__((amdgpu_num_vgpr(4)))\n#endif\n")
NARROWED = ("  return ft_load<FT_VECTOR_BYTES>(from);\n",
            "  ft_vec<FT_VECTOR_BYTES> whole;\n"
            "  auto* const parts = reinterpret_cast<ft_vec<4>*>(&whole);\n"
            "  for (int i = 0; i < FT_VECTOR_BYTES / 4; ++i) parts[i] = ft_load<4>(from + 4 * i);\n"
            "  return whole;\n")
BROKEN = ("(is_z ? c - Row::kQkv : c)", "(is_z ? (c - Row::kQkv) ^ 1 : c)")
HANGING = ("  const InputRows in = SRC_ROWS;\n", "  volatile int zero = 0;\n  while (zero == 0) {\n  }\n  const InputRows in = SRC_ROWS;\n")
NO_CODE = ("FT_DEVICE void store_chunk(", "FT_DEVICE void store_chunk(no_such_type, ")
REFACTORED = ("FT_DEVICE const char* chunk_source(", "// Moved here by a refactoring.\nFT_DEVICE const char* chunk_source(")


def has_amd(program):
    devices = subprocess.run([program, "--json", "devices"], capture_output=True, text=True, check=True)
    return any(one["target"] == "gfx90a" and one["available"] for one in json.loads(devices.stdout)["compilers"])


class Tree(unittest.TestCase):
    """One copy of the tree and one store for all tests: what a test plants it takes back."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="fusetune-test-")
        cls.addClassCleanup(scratch.cleanup)
        cls.root = pathlib.Path(scratch.name) / "tree"
        shutil.copytree(harness.ROOT / "kernels", cls.root / "kernels")
        shutil.copytree(harness.ROOT / "configs", cls.root / "configs")
        (cls.root / "harness").symlink_to(harness.ROOT / "harness")
        (cls.root / "configs/sweeps/gate.yaml").write_text(SWEEP)
        cls.amd = has_amd(harness.PROGRAM)
        result = cls.run_gate("--accept")
        assert result.returncode == 0, result.stdout + result.stderr

    @classmethod
    def run_gate(cls, *arguments, expect=None, **more):
        environment = {**os.environ, "CI": "true", "FUSETUNE_ROOT": str(cls.root), **more}
        for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
            if name not in more:
                environment.pop(name, None)
        return subprocess.run([harness.PROGRAM, "gate", "--static", *map(str, arguments)], cwd=cls.root,
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)

    def plant(self, change, file=KERNEL):
        path = self.root / file
        text = path.read_text()
        self.assertIn(change[0], text)
        self.addCleanup(path.write_text, text)
        path.write_text(text.replace(*change))

    def gate(self, expect, *arguments, **more):
        """Runs it with all outputs, which have to agree: ({(rule, target): verdict}, outputs)."""
        out = self.root / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        result = self.run_gate("--junit", out / "junit.xml", "--sarif", out / "gate.sarif", "--report",
                               out / "gate.json", "--summary", out / "summary.md", "--annotations", *arguments, **more)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        report = json.loads((out / "gate.json").read_text())
        self.assertEqual(report["exit_code"], expect)
        sarif = json.loads((out / "gate.sarif").read_text())
        sarif_rules.check(sarif)
        junit = ElementTree.parse(out / "junit.xml").getroot()
        summary = (out / "summary.md").read_text()
        self.check_agreement(expect, report, sarif, junit, summary, result.stdout)
        for line in result.stdout.splitlines():
            if "=" not in line and "::" not in line and "/" not in line:
                self.assertLessEqual(len(line), 100, line)
        found = {}
        for one in report["findings"]:  # of several variants what is not fine
            if found.get((one["rule"], one["target"]), "PASS") == "PASS":
                found[one["rule"], one["target"]] = one["verdict"]
        return found, {"report": report, "sarif": sarif, "junit": junit, "summary": summary, "text": result.stdout}

    def check_agreement(self, expect, report, sarif, junit, summary, text):
        failing = [one for one in report["findings"] if one["fails"]]
        run = sarif["runs"][0]
        errors = [one for one in run["results"] if one["level"] == "error"]
        bad = len(junit.findall(".//failure")) + len(junit.findall(".//error"))
        nothing = 1 if report["compared"] == 0 else 0
        self.assertEqual(len(errors), len(failing) + nothing)
        self.assertEqual(bad, len(failing) + nothing)
        self.assertEqual(run["invocations"][0]["exitCode"], expect)
        self.assertEqual(int(junit.get("failures")) + int(junit.get("errors")), bad)
        self.assertEqual(len(junit.findall(".//testcase")), int(junit.get("tests")))
        names = [(case.get("classname"), case.get("name")) for case in junit.iter("testcase")]
        self.assertEqual(len(names), len(set(names)), "a test viewer takes them for one")
        self.assertEqual(text.count("::error "), min(10, bad))
        word = "passed" if expect == 0 else f"failed with exit code {expect}"
        self.assertIn(word, summary.splitlines()[0])
        self.assertIn(word, text.splitlines()[-1])
        for one in failing:
            self.assertTrue(one["reproduce"], one)
            self.assertTrue(one["chain"], one)


class Gate(Tree):
    def test_a_clean_tree_passes(self):
        found, outputs = self.gate(0)
        self.assertEqual(set(found.values()), {"PASS"} if self.amd else {"PASS", "SKIPPED"})
        report = outputs["report"]
        self.assertEqual(report["compared"], report["expected"] if self.amd else report["expected"] - 2)
        for target in ("host-w64", "host-w32"):
            self.assertEqual(found["verify/proof", target], "PASS")
        self.assertEqual(outputs["sarif"]["runs"][0]["results"] == [], self.amd)

    def test_a_spill_is_a_regression(self):
        if not self.amd:
            self.skipTest("the AMD module is not built here")
        self.plant(SPILL)
        found, outputs = self.gate(1)
        self.assertEqual(found["static/spills", "gfx90a"], "REGRESSION")
        self.assertEqual(found["verify/proof", "host-w64"], "PASS")
        result = next(one for one in outputs["sarif"]["runs"][0]["results"] if one["ruleId"] == "static/spills")
        place = result["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "configs/sweeps/gate.yaml")
        self.assertEqual(place["region"]["startLine"], MODEL_LINE)
        self.assertIn(f"::error file=configs/sweeps/gate.yaml,line={MODEL_LINE},", outputs["text"])
        failure = next(one for one in outputs["junit"].iter("failure") if one.get("type") == "static/spills")
        self.assertIn("vgpr_spills of split_reshape_cat is", failure.get("message"))
        self.assertIn("inspect --case", failure.text)
        self.assertIn("<b>REGRESSION</b> | static/spills |", outputs["summary"])
        # Its own limit: nobody accepts a spill without changing the rules.
        refused = self.run_gate("--accept")
        self.assertEqual(refused.returncode, 64)
        self.assertIn("nothing was accepted", refused.stderr)
        self.assertIn("whatever is accepted", " ".join(refused.stderr.split()))

    def test_a_narrowed_load_is_a_regression_until_it_is_accepted(self):
        self.plant(NARROWED)
        found, outputs = self.gate(1)
        for target in ("host-w64", "host-w32"):
            self.assertEqual(found["static/widths", target], "REGRESSION")
            self.assertEqual(found["verify/proof", target], "PASS")
        self.assertIn("load_bytes_per_lane of trace is 4, accepted 16", outputs["text"].replace("\n  ", " "))
        command = next(one["reproduce"] for one in outputs["report"]["findings"]
                       if (one["rule"], one["target"]) == ("static/widths", "host-w64"))
        self.assertIn("inspect --case", command)
        accepted = self.root / "results/accepted"
        kept = self.root / "kept"
        shutil.copytree(accepted, kept)
        self.addCleanup(shutil.move, kept, accepted)
        self.addCleanup(shutil.rmtree, accepted)
        result = self.run_gate("--accept")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("load_bytes_per_lane of trace 16 -> 4", result.stdout)
        found, _ = self.gate(0)
        self.assertEqual(found["static/facts", "host-w64"], "PASS")

    def test_a_broken_kernel_fails_its_proofs(self):
        self.plant(BROKEN)
        found, outputs = self.gate(2)
        wrong = {target for (rule, target), verdict in found.items() if verdict == "VERIFY_FAIL"}
        self.assertEqual(wrong, {"host-w64", "host-w32"})
        self.assertTrue(outputs["text"].splitlines()[-1].endswith("a result was wrong"))
        refused = self.run_gate("--accept")
        self.assertEqual(refused.returncode, 64)
        # The command that is shown shows it.
        command = next(one["reproduce"] for one in outputs["report"]["findings"] if one["verdict"] == "VERIFY_FAIL")
        again = subprocess.run(command, shell=True, cwd=self.root, capture_output=True, text=True, timeout=300,
                               env={**os.environ, "CI": "true", "FUSETUNE_ROOT": str(self.root)})
        self.assertEqual(again.returncode, 2, again.stdout + again.stderr)

    def test_a_kernel_that_hangs_is_an_error(self):
        self.plant(HANGING)
        found, outputs = self.gate(5, "--target", "host-w64", "--kernel-timeout-s", 0.5)
        self.assertEqual(found["verify/launch", "host-w64"], "CRASH")
        self.assertTrue(outputs["junit"].findall(".//error"))

    def test_what_does_not_compile_is_worse_than_what_did(self):
        self.plant(NO_CODE)
        found, outputs = self.gate(1)
        self.assertEqual(found["verify/proof", "host-w64"], "REGRESSION")
        self.assertIn("no_such_type", outputs["text"])
        if self.amd:
            self.assertEqual(found["static/compile", "gfx90a"], "REGRESSION")

    def test_a_refactoring_passes_by_identity(self):
        if not self.amd:
            self.skipTest("the AMD module is not built here")
        self.plant(REFACTORED)
        found, outputs = self.gate(0)
        self.assertEqual(set(found.values()), {"PASS"})
        reasons = [one["reason"] for one in outputs["report"]["findings"] if one["target"] == "gfx90a"]
        self.assertEqual(set(reasons), {"the same machine code as accepted"})

    def test_an_empty_selection_is_no_success(self):
        found, outputs = self.gate(4, "--family", "mrope")
        self.assertEqual(found, {})
        self.assertIn("nothing was compared", outputs["text"].splitlines()[-1])
        self.assertEqual([one["ruleId"] for one in outputs["sarif"]["runs"][0]["results"]], ["gate/coverage"])
        self.assertEqual(outputs["junit"].find(".//failure").get("type"), "gate/coverage")
        self.assertIn("nothing was compared", outputs["summary"])

    def test_a_selection_that_shrank_is_told(self):
        self.plant(("space: 1", "space: 1   # less\nmeasure: {data: hot, budget_s: 1}"), "configs/sweeps/gate.yaml")
        self.gate(0)
        self.plant(("    options: {layout: contiguous}\n", "    options: {layout: contiguous}\n"
                    "    implementations: [unfused]\n"), "configs/sweeps/gate.yaml")
        found, _ = self.gate(4)
        self.assertEqual(found["static/coverage", "host-w64"], "ENV_CHANGED")

    def test_without_accepted_facts_nothing_passes_for_compared(self):
        found, outputs = self.gate(0, "--accepted", self.root / "nowhere")
        self.assertEqual(found["static/facts", "host-w64"], "NO_BASELINE")
        skipped = outputs["junit"].findall(".//skipped")
        self.assertEqual(len(skipped), sum(v != "PASS" for v in
                                           (one["verdict"] for one in outputs["report"]["findings"])))
        self.gate(4, "--accepted", self.root / "nowhere", "--require-baseline")

    def test_a_missing_compiler_is_skipped_and_counted(self):
        found, outputs = self.gate(0, FUSETUNE_MODULE_DIR=str(self.root))
        self.assertEqual(found["static/target", "gfx90a"], "SKIPPED")
        self.assertEqual(outputs["report"]["expected"] - outputs["report"]["compared"], 2)
        self.assertIn("2 not judged", outputs["junit"].find(".//skipped").get("message"))
        # What was asked for by name and cannot be had is no success, and nothing else was compared.
        found, outputs = self.gate(4, "--target", "gfx90a", FUSETUNE_MODULE_DIR=str(self.root))
        self.assertEqual(found, {("static/target", "gfx90a"): "ENV_CHANGED"})
        self.assertEqual(outputs["report"]["compared"], 0)

    def test_another_compiler_takes_the_blame(self):
        if not self.amd:
            self.skipTest("the AMD module is not built here")
        path = "results/accepted/small/gfx90a.yaml"
        self.plant(("compiler: 'hipRTC", "compiler: 'another hipRTC"), path)
        found, _ = self.gate(0)
        self.assertEqual(found["static/facts", "gfx90a"], "PASS")
        self.plant(SPILL)
        found, outputs = self.gate(4)
        self.assertEqual(found["static/spills", "gfx90a"], "ENV_CHANGED")
        self.assertIn("another hipRTC", outputs["text"])

    def test_explain_tells_every_step(self):
        _, outputs = self.gate(0)
        key = outputs["report"]["findings"][0]["case"]
        text = self.run_gate("--explain", key).stdout
        self.assertIn("load_bytes_per_lane of trace is 16, accepted 16 (static/widths)", text)
        unknown = self.run_gate("--explain", key.replace("tokens=16", "tokens=17"))
        self.assertEqual(unknown.returncode, 64)
        self.assertIn("did you mean", unknown.stderr)

    def test_github_variables_are_enough(self):
        summary = self.root / "step.md"
        summary.write_text("of another step\n")
        self.addCleanup(summary.unlink)
        result = self.run_gate("--family", "mrope", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
        self.assertIn("::error ", result.stdout)
        self.assertTrue(summary.read_text().startswith("of another step\n## fusetune gate small: failed"))

    def test_json_is_one_document(self):
        result = subprocess.run([harness.PROGRAM, "--json", "gate", "--static", "--family", "mrope", "--annotations"],
                                cwd=self.root, env={**os.environ, "FUSETUNE_ROOT": str(self.root)},
                                capture_output=True, text=True)
        self.assertEqual(json.loads(result.stdout)["schema"], "fusetune.gate")

    def test_rules_are_read_strictly(self):
        self.plant(("    worse: less\n", "    worse: fewer\n"), "configs/gate-rules.yaml")
        result = self.run_gate()
        self.assertEqual(result.returncode, 64)
        self.assertRegex(result.stderr, r"configs/gate-rules\.yaml:\d+:\d+: .*fewer")

    def test_it_says_what_it_does_not_do(self):
        result = subprocess.run([harness.PROGRAM, "gate", "--static", "--device", "host-w64"], cwd=self.root,
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 64)


class Viewers(Tree):
    def test_junit_has_the_attributes_of_googletest(self):
        program = os.environ.get("FUSETUNE_GOOGLETEST")
        if not program:
            self.skipTest("FUSETUNE_GOOGLETEST names no test program")
        theirs = self.root / "theirs.xml"
        subprocess.run([program, "--gtest_filter=Hash*:Status*", f"--gtest_output=xml:{theirs}"], check=True,
                       capture_output=True)
        _, outputs = self.gate(4, "--family", "mrope")
        wanted = {}
        for element in ElementTree.parse(theirs).getroot().iter():
            wanted.setdefault(element.tag, set()).update(element.attrib)
        self.assertTrue(wanted["testcase"])
        for element in outputs["junit"].iter():
            if element.tag in wanted:
                self.assertEqual(set(element.attrib), wanted[element.tag], element.tag)


    def test_hostile_names_stay_text(self):
        program = os.environ.get("FUSETUNE_GATE_TESTS")
        if not program:
            self.skipTest("FUSETUNE_GATE_TESTS names no test program")
        subprocess.run([program, "--gtest_filter=HostileReport.IsWrittenForOtherReaders"], check=True,
                       capture_output=True, env={**os.environ, "FUSETUNE_HOSTILE_DIR": str(self.root)})
        sarif_rules.check(json.loads((self.root / "hostile.sarif").read_text()))
        junit = ElementTree.parse(self.root / "hostile.xml").getroot()
        report = json.loads((self.root / "hostile.json").read_text())
        names = [case.get("name") for case in junit.iter("testcase")]
        self.assertEqual(len(names), len(report["findings"]))
        for finding, name in zip(report["findings"], names):
            self.assertTrue(name.startswith(finding["case"]), (name, finding["case"]))
        rows = [line for line in (self.root / "hostile.md").read_text().splitlines() if line.startswith("| <b>")]
        self.assertEqual(len(rows), len(names))
        for row in rows:
            self.assertEqual(row.count("|"), 9, row)


class Workflows(unittest.TestCase):
    """The files that docs/ci.md offers: well formed, and with no option that the gate does not have."""

    def test_they_use_what_there_is(self):
        helped = subprocess.run([harness.PROGRAM, "gate", "--help"], capture_output=True, text=True, check=True).stdout
        known = set(re.findall(r"--[a-z-]+", helped))
        self.assertIn("--junit", known)
        seen = 0
        for file in (harness.ROOT / "examples/ci").glob("*.yml"):
            document = yaml.safe_load(file.read_text())
            commands = [line for line in strings_of(document) if "scripts/gate" in line]
            self.assertTrue(commands, file)
            for option in re.findall(r"--[a-z-]+", " ".join(commands)):
                self.assertIn(option, known, file)
                seen += 1
        self.assertGreaterEqual(seen, 7)
        self.assertTrue(os.access(harness.ROOT / "scripts/gate", os.X_OK))

    def test_the_page_names_what_there_is(self):
        page = (harness.ROOT / "docs/ci.md").read_text()
        helped = subprocess.run([harness.PROGRAM, "gate", "--help"], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", page))
        self.assertGreater(len(options), 8)
        self.assertEqual({option for option in options if option not in helped and option != "--json"}, set())
        for file in re.findall(r"`((?:configs|scripts|docs|examples)/[\w./-]+)`", page):
            self.assertTrue((harness.ROOT / file).exists(), file)


def strings_of(node):
    if isinstance(node, str):
        return [node]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return [text for child in children for text in strings_of(child)]


class ShippedGate(harness.ProgramTest):
    def test_the_shipped_kernels_pass_with_the_facts_that_are_committed(self):
        if not has_amd(harness.PROGRAM):
            self.skipTest("the AMD module is not built here")
        report = self.run_json("gate", "--static", "--target", "gfx90a")
        accepted = (harness.ROOT / "results/accepted/gate/gfx90a.yaml").read_text()
        self.assertEqual(report["compared"], report["expected"])
        if report["session"]["compilers"]["gfx90a"] in accepted:
            self.assertEqual(report["counts"], {"PASS": report["compared"]})


if __name__ == "__main__":
    harness.main()
