"""scripts/compare-peers without a GPU: its arguments, its cases, the tables it reads, what it would launch, and what it reports."""

import ast
import ctypes
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from peers import abi, cases, nvrtc, plan, published, report, skeleton, stats, table  # noqa: E402


def case_of(family, shape, tokens=128):
    return next(case for case in cases.all_cases() if (case.family, case.shape, case.tokens) == (family, shape, tokens))


def of_yaml(family, block):
    """{name: text} of the entries of a block of family.yaml."""
    text = (ROOT / "kernels" / family / "family.yaml").read_text()
    body = re.search(rf"^{block}:\n((?:(?:  .*|)\n)*)", text, re.M).group(1)
    parts = re.split(r"^  (\w+):", body, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


class Runner(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="fusetune-test-")
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        # A machine that has no torch, whatever this one has.
        (self.dir / "torch.py").write_text("raise ImportError('none here')\n")

    def run_script(self, *arguments, expect):
        result = subprocess.run([sys.executable, ROOT / "scripts/compare-peers", *arguments], capture_output=True, text=True,
                                env={**os.environ, "PYTHONPATH": str(self.dir)})
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return result.stdout + result.stderr


class Script(Runner):
    def test_lists_cases_and_peers(self):
        out = self.run_script("--list", expect=0)
        self.assertIn(f"{len(cases.all_cases())} cases", out)
        self.assertIn("rmsnorm_gemma W2048 T=1: torch.compile, F.rms_norm, triton row, triton persistent\n", out)
        self.assertIn("rmsnorm_gemma W2048 + residual T=1: torch.compile, triton row, triton persistent\n", out)
        self.assertIn("not run: flashinfer: ", out)

    def test_chooses_cases(self):
        out = self.run_script("--list", "--family", "mrope", "--tokens", "16", expect=0)
        self.assertIn("\n6 cases\n", out)
        out = self.run_script("--list", "--quick", expect=0)
        self.assertIn("\n10 cases\n", out)
        self.assertIn("split_reshape_cat interleaved Hk16/Hv32 T=8192", out)

    def test_refuses_what_it_does_not_know(self):
        for arguments in (["--family", "gdn"], ["--tokens", "17"], ["--budget-s", "0"], ["--budget-s", "nan"], ["more"]):
            self.assertIn("usage:", self.run_script(*arguments, expect=64))

    def test_skeletons_come_instead_of_peers(self):
        self.assertIn("has no peers", self.run_script("--skeleton", "--csv", self.dir / "x.csv", expect=64))
        shapes = len(cases.all_cases()) // len(cases.TOKENS)
        self.assertIn(f"\n{2 * shapes} cases\n", self.run_script("--skeleton", "--list", expect=0))
        self.assertIn(f"\n{shapes} cases\n", self.run_script("--skeleton", "--tokens", "128", "--list", expect=0))

    def test_says_what_is_missing(self):
        self.assertIn("has no table of ours", self.run_script("--results", self.dir, expect=4))
        (self.dir / "mrope.json").write_text("{}")
        self.assertIn("torch cannot be imported: none here", self.run_script("--results", self.dir, expect=4))


class Published(Runner):
    """--published: times that others took beside those of the tables."""

    RESULTS = ROOT / "results/nvidia-h200"

    def write(self, *rows, columns="family,shape,tokens,peer,us"):
        file = self.dir / "times.csv"
        file.write_text("\n".join([columns, *rows]) + "\n")
        return file

    def ours(self, family, shape, tokens):
        row = table.Tables(self.RESULTS).of(family).row(case_of(family, shape, tokens))
        return row["certificate"]["median_us"]

    def test_compares_with_the_fastest(self):
        ours = self.ours("rmsnorm_gated", "Hv32", 1024)
        file = self.write(f"rmsnorm_gated,Hv32,1024,slow,{4 * ours}", f"rmsnorm_gated,Hv32,1024,fast,{2 * ours}")
        out = self.run_script("--published", file, "--markdown", self.dir / "out.md", expect=0)
        self.assertIn(f"| rmsnorm_gated | Hv32 | {ours:.4g} / {2 * ours:.4g} = **2.00x** (fast) |", out)
        self.assertIn("best published time over ours, geometric mean of 1 cases: 2.000x", out)
        self.assertIn("cases where a published time is lower: 0\n", out)
        self.assertEqual((self.dir / "out.md").read_text(), out)

    def test_says_where_ours_is_behind_or_is_not_there(self):
        behind = f"rmsnorm_gemma,W2048,8192,peer,{self.ours('rmsnorm_gemma', 'W2048', 8192) / 2}"
        out = self.run_script("--published", self.write(behind), expect=0)
        self.assertIn("cases where a published time is lower: 1; rmsnorm_gemma W2048 T=8192", out)
        out = self.run_script("--published", self.write(behind), "--family", "mrope", expect=4)
        self.assertIn("nothing was compared", out)
        self.assertIn("has no samples", self.run_script("--published", self.write(behind), "--json", self.dir / "x.json", expect=64))
        out = self.run_script("--published", self.write(behind), "--results", self.dir, expect=4)
        self.assertIn("no kernel", out)
        self.assertIn("nothing was compared", out)

    def test_names_the_line_that_is_wrong(self):
        good = "mrope,q16/kv2,1024,peer,3.5"
        for row, why in (("mrope,q16/kv3,1024,peer,3.5", "no case is called mrope q16/kv3 1024"), ("mrope,q16/kv2,128,peer,3.5", "at least 1024 tokens"),
                         ("mrope,q16/kv2,1024,peer,0", "a time above 0"), ("mrope,q16/kv2,many,peer,3.5", "to be numbers"),
                         ("mrope,q16/kv2,1024,peer", "to be numbers")):
            out = self.run_script("--published", self.write(good, row), expect=64)
            self.assertIn(f"{self.dir / 'times.csv'}:3: ", out)
            self.assertIn(why, out)
        out = self.run_script("--published", self.write(good, columns="case,peer,us"), expect=64)
        self.assertIn("times.csv:1: expected the columns family,shape,tokens,peer,us", out)
        self.assertIn("No such file", self.run_script("--published", self.dir / "none.csv", expect=64))

    def test_reads_the_times_in_the_tree(self):
        times = published.read(self.RESULTS / "published.csv")
        self.assertEqual({family for family, _, _ in times}, set(cases.PEERS))


class Cases(unittest.TestCase):
    def test_are_those_of_the_sweep(self):
        """Block by block: the gated q has one of its own."""
        text = re.sub(r"#.*", "", (ROOT / "configs/sweeps/h200-peers.yaml").read_text())
        for family, block in re.findall(r"- family: (\w+)\n(.*?)(?=\n  - family|\nmeasure)", text, re.S):
            number = lambda texts: {name: int(value) for name, value in re.findall(r"(\w+): (\d+)", texts)}
            options = re.search(r"options: \{(.*)\}", block)
            symbols = [number(one) for one in re.findall(r"\{([^{}]*\b(?:nk|heads|width|q_heads|hq): [^{}]*)\}", block)]
            lists = dict(re.findall(r"(\w+): \[([^\]]*)\]", options.group(1))) if options else {}
            expected = set()
            for one in symbols:
                combinations = [one]
                for name, values in lists.items():
                    combinations = [{**chosen, name: value.strip()} for chosen in combinations for value in values.split(",")]
                tokens = re.search(r"tokens: \[([\d, ]+)\]", block).group(1)
                expected |= {tuple(sorted({**chosen, "tokens": int(count)}.items())) for chosen in combinations for count in tokens.split(",")}
            names = {name for one in expected for name, _ in one}
            gated = "on" if "gated: on" in block else "off"
            ours = {tuple(sorted((name, case.symbol(name)) for name in names)) for case in cases.all_cases()
                    if case.family == family and case.values.get("gated", "off") == gated}
            self.assertEqual(ours, expected, family)
            runtime = re.search(r"runtime: \{max_position: (\d+)\}", block)
            if runtime:
                self.assertEqual(int(runtime.group(1)), case_of(family, "q16/kv2" if family == "mrope" else "bf16 page 16").symbol("max_position"))

    def test_have_words_that_the_families_know(self):
        for family, words in cases.COMMON.items():
            options, symbols = of_yaml(family, "options"), of_yaml(family, "symbols")
            for name, value in {**words, **next(case for case in cases.all_cases() if case.family == family).values}.items():
                if isinstance(value, str):
                    self.assertRegex(options[name], rf"values: \[[^\]]*\b{value}\b", f"{family} {name}")
                else:
                    self.assertIn(name, symbols)

    def test_peers_are_those_of_the_operations(self):
        for family, names in cases.PEERS.items():
            tree = ast.parse((ROOT / f"scripts/peers/operations/{family}.py").read_text())
            found = next(node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "PEERS")
            self.assertEqual([key.value for key in found.keys], list(names), family)


class Abi(unittest.TestCase):
    def test_is_that_of_family_yaml(self):
        for family, signature in abi.SIGNATURES.items():
            tensors = of_yaml(family, "tensors")
            text = (ROOT / "kernels" / family / "family.yaml").read_text()
            launch = re.search(rf"entry: {signature.entry}\n.*?(?=\n      - |\n  \w)", text, re.S).group(0)
            listed = re.search(r"arguments: \[([^\]]*)\]", launch)
            order = listed.group(1).split(", ") if listed else [*tensors, "tokens"]
            ours = [tensor.name for tensor in signature.tensors] + [*signature.symbols, *(["eps"] * len(signature.scalars))]
            self.assertEqual(ours, [name for name in order if name in ours], family)
            for tensor in signature.tensors:
                self.assertEqual("row_stride: runtime" in tensors[tensor.name], tensor.strided, tensor.name)
                role = re.search(r"role: (\w+)", tensors[tensor.name]).group(1)
                self.assertEqual(role in ("out", "inout", "state"), tensor.written, tensor.name)

    def test_leaves_out_what_a_case_does_not_have(self):
        names = lambda *case: [tensor.name for tensor in abi.tensors_of(case_of(*case))]
        self.assertEqual(names("rmsnorm_gemma", "W4096"), ["x", "weight", "y"])
        self.assertEqual(names("rmsnorm_gemma", "W4096 + residual"), ["x", "residual", "weight", "y", "residual_out"])
        self.assertEqual(names("mrope", "q16/kv2 in place"), ["positions_thw", "cos_sin", "q_inout", "k_inout"])
        self.assertEqual(names("qk_norm_rope_cache", "fp8 page 64")[-6:],
                         ["k_tensor_scale", "v_tensor_scale", "q_out", "k_out", "k_codes", "v_codes"])
        self.assertEqual(names("qk_norm_rope_cache", "bf16 page 16 gated q")[0], "q_gated")

    def test_arguments_in_order(self):
        case = case_of("rmsnorm_gemma", "W2048 + residual", 16)
        addresses = {"x": 0x1000, "residual": 0x2000, "weight": 0x3000, "y": 0x4000, "residual_out": 0x5000}
        values = abi.arguments(case, addresses.__getitem__, lambda name: 2048)
        self.assertEqual([value.value for value in values[:-1]],
                         [0x1000, 2048, 0x2000, 2048, 0x3000, 0x4000, 2048, 0x5000, 2048, 16])
        self.assertEqual([type(value) for value in values[-2:]], [ctypes.c_longlong, ctypes.c_float])
        self.assertEqual(abi.declaration(case), "const void*, long long, const void*, long long, const void*, void*, long long, void*, "
                                                "long long, long long, float")
        paged = case_of("qk_norm_rope_cache", "bf16 page 64", 128)
        values = abi.arguments(paged, lambda name: 16, lambda name: 8)
        self.assertEqual([value.value for value in values[-3:-1]], [128, 4])  # tokens, num_blocks


def a_row(**changes):
    row = {"rows_low": 2, "rows_high": 64, "tuned_at": 16, "implementation": "fused", "variant": "block_size=256", "is_default": False,
           "axes": {"block_size": 256, "rows_per_iter": 2, "persistent": "off"}, "defines": {},
           "geometry": {"statics": {**cases.COMMON["rmsnorm_gemma"], "width": 2048, "residual": "off", "group": 128},
                        "dtypes": {"act": "bf16", "weight": "bf16", "stream": "bf16", "code": "e4m3fn", "fp32": "fp32"},
                        "align_bytes": {"x": 16, "weight": 16, "y": 16}}}
    row.update(changes)
    return row


def a_table(*rows):
    expression = lambda text: {"python": text, "tree": []}
    launch = {"entry": "rmsnorm_gemma", "grid": [expression("min(-(-tokens // rows_per_iter), grid_blocks_max)"), expression("2")],
              "block": [expression("block_size")], "lds_bytes": expression("0"), "when": expression("residual == 'off'")}
    never = {**launch, "entry": "other", "when": expression("residual == 'on'")}
    return {"format": 1, "facts": {"cu_count": 132, "lds_bytes_max": 0, "block_threads_max": 1024, "wave_size": 32},
            "derived": [{"name": "limit", **expression("math.gcd(16, align_bytes_residual)")},
                        {"name": "chunks", **expression("width // vector_bytes")},
                        {"name": "grid_blocks_max", **expression("CU_COUNT * 8 if persistent == 'on' else 4294967295 // block_size")}],
            "implementations": {"fused": {"launches": [launch, never], "source": "rmsnorm_gemma.hip"}}, "rows": list(rows)}


class Tables(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="fusetune-test-")
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)

    def table(self, *rows):
        (self.dir / "rmsnorm_gemma.json").write_text(json.dumps(a_table(*rows)))
        return table.Tables(self.dir).of("rmsnorm_gemma")

    def test_finds_the_row_and_its_launch(self):
        ours = self.table(a_row(rows_low=0, rows_high=1), a_row(), a_row(rows_low=65, rows_high=9999))
        case = case_of("rmsnorm_gemma", "W2048", 16)
        row = ours.row(case)
        self.assertEqual(row["rows_low"], 2)
        self.assertEqual(ours.launch(row, case), table.Launch("rmsnorm_gemma", (8, 2, 1), (256, 1, 1), 0))
        self.assertEqual(ours.source(row), "rmsnorm_gemma.hip")

    def test_prefers_the_best_aligned(self):
        poor = a_row(geometry={**a_row()["geometry"], "align_bytes": {"x": 8, "weight": 16, "y": 16}})
        row = self.table(poor, a_row()).row(case_of("rmsnorm_gemma", "W2048", 16))
        self.assertEqual(row["geometry"]["align_bytes"]["x"], 16)

    def test_says_why_there_is_none(self):
        other = a_row(geometry={**a_row()["geometry"], "statics": {**a_row()["geometry"]["statics"], "mid_rounding": "on"}})
        fp16 = a_row(geometry={**a_row()["geometry"], "dtypes": {"act": "fp16"}})
        case = case_of("rmsnorm_gemma", "W2048", 16)
        for rows, why in (([], "no row"), ([other, fp16], "no row"), ([a_row(is_default=True)], "names the baseline")):
            with self.assertRaisesRegex(table.NoRow, why):
                self.table(*rows).row(case)
        with self.assertRaisesRegex(table.NoRow, "there is no"):
            table.Tables(self.dir).of("mrope")


class Sources(unittest.TestCase):
    def test_headers_and_what_they_include(self):
        for family in cases.PEERS:
            folder = ROOT / "kernels" / family
            headers = nvrtc.headers_of((folder / f"{family}.hip").read_text(), [folder, ROOT / "kernels/common"])
            self.assertIn("ft_vectors.h", headers)
            wanted = {name for text in headers.values() for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.M)}
            self.assertLessEqual(wanted, set(headers), family)

    def test_options_are_those_of_the_program(self):
        text = (ROOT / "harness/compile/nvidia/nvrtc_compiler.cpp").read_text() + (ROOT / "harness/compile/rtc/rtc_compiler.cpp").read_text()
        compiler = nvrtc.Compiler.__new__(nvrtc.Compiler)
        compiler.target, compiler.numbers = "sm_90", (13, 0)
        options = compiler.options({"FT_B": "2", "FT_A": "1"})
        self.assertEqual(options[-2:], ["-DFT_A=1", "-DFT_B=2"])
        for option in options[:-2]:
            self.assertIn('"' + option.replace('sm_90', '"') + ('"' if "sm_90" not in option else ""), text)
        self.assertEqual({option for option in re.findall(r'"(--[^"]+)"', text)} - {"--gpu-architecture=", "--offload-arch="},
                         {option for option in options if option.startswith("--") and "sm_90" not in option}, "the program has no others")
        compiler.numbers = (12, 8)
        self.assertEqual(set(options) - set(compiler.options({"FT_B": "2", "FT_A": "1"})), {"--minimal", "--no-cache"})


class Skeletons(unittest.TestCase):
    def test_pass_what_the_kernel_takes(self):
        kinds = {"const char*": ctypes.c_void_p, "char*": ctypes.c_void_p, "const long long*": ctypes.c_void_p, "long long": ctypes.c_longlong}
        parameters = re.search(r"skeleton\(([^)]*)\)", skeleton.SOURCE).group(1)
        self.assertEqual(skeleton.DECLARATION, ", ".join(re.sub(r"\w+$", "", one.strip()).strip() for one in parameters.split(",")))
        for family in cases.PEERS:
            for case in (one for one in cases.all_cases() if one.family == family):
                addresses = {tensor.name: 4096 * (i + 1) for i, tensor in enumerate(abi.tensors_of(case))}
                values = skeleton.arguments(case, addresses.__getitem__, lambda name: 7 * addresses[name])
                self.assertEqual([type(value) for value in values], [kinds[kind] for kind in skeleton.DECLARATION.split(", ")])
                first, last, positions, rows = skeleton.chain_of(case)
                written = {tensor.name for tensor in abi.tensors_of(case) if tensor.written}
                self.assertIn(last, written)
                self.assertEqual(first in written, case.values.get("in_place") == "on", case.key)
                self.assertEqual([value.value for value in values],
                                 [addresses[first], addresses[last], addresses.get(positions), addresses.get(rows), 7 * addresses[first],
                                  7 * addresses[last], case.tokens])
                self.assertEqual(skeleton.row_bytes(case), 128 if positions else 0)

    def test_compile(self):
        try:
            compiler = nvrtc.Compiler(ROOT, "sm_90")
        except nvrtc.CompileError as error:
            self.skipTest(str(error))
        one, two = (skeleton.code(compiler, case_of(*case)) for case in (("rmsnorm_gemma", "W2048"), ("mrope", "q16/kv2")))
        self.assertTrue(one.startswith(b"\x7fELF") and two.startswith(b"\x7fELF"))
        self.assertNotEqual(one, two)


class Numbers(unittest.TestCase):
    def test_cold_data_and_long_spans(self):
        small, middle, large = plan.plan(12_000), plan.plan(50_000_000), plan.plan(2_700_000_000)
        self.assertTrue(small.flush)
        self.assertEqual((small.sets, small.turns), (plan.SETS_MAX, 1))
        self.assertFalse(middle.flush)
        self.assertGreater((middle.sets - 1) * 50_000_000, plan.COLD_BYTES - 50_000_000)
        self.assertGreater(middle.launches * (50_000_000 / 3.5e6 + 1.5), plan.SPAN_US)
        self.assertEqual((large.sets, large.turns, large.flush), (2, 1, False))

    def test_ratio_is_that_of_logs(self):
        # A drift of 10 % per span, A B B A: it cancels.
        rounds = [([1.0, 1.331], [2 * 1.1, 2 * 1.21])] * 3
        ratio, low, high = stats.ratio_of([rounds] * 4)
        self.assertAlmostEqual(ratio, 2.0)
        self.assertAlmostEqual(low, 2.0)
        self.assertAlmostEqual(high, 2.0)
        _, low, high = stats.interval([0.0, 1.0])
        self.assertAlmostEqual(high, 0.5 + 12.706 * 0.5, places=3)
        self.assertEqual(stats.interval([1.0])[1], -math.inf)
        self.assertEqual(stats.ratio_of([rounds])[1:], (0.0, math.inf))
        self.assertAlmostEqual(stats.geometric_mean([0.5, 2.0]), 1.0)
        self.assertEqual(stats.time_of([[1, 5, 2], [3, 3, 3], [9]]), 3)


def a_result(ratio, low, high, tokens=16, **more):
    return {"case": f"rmsnorm_gemma W2048 T={tokens}", "family": "rmsnorm_gemma", "shape": "W2048", "tokens": tokens,
            "ours": {"us": 2.0}, "method": {"cold_by": "ring"}, "samples": [[math.inf]],
            "peers": {"slow": {"us": 9.0, "ratio": 4.5, "ratio_low": 4.4, "ratio_high": 4.6},
                      "fast": {"us": 2.0 * ratio, "ratio": ratio, "ratio_low": low, "ratio_high": high},
                      "broken": {"why": "does not compile"}}, **more}


class Report(unittest.TestCase):
    ABOUT = {"gpu": "G", "driver": "1", "torch": "2", "triton": "3", "date": "today"}

    def test_tells_the_best_peer(self):
        results = [a_result(1.5, 1.4, 1.6), a_result(0.9, 0.85, 0.95, tokens=128), a_result(1.0, 0.9, 1.1, tokens=1)]
        text = "\n".join(report.summary(results))
        self.assertIn(f"geometric mean of 3 cases: {(1.5 * 0.9) ** (1 / 3):.3f}x", text)
        self.assertIn("T=16: 1.500x over 1 cases, worst 1.500x", text)
        self.assertIn("T=128: 0.900x over 1 cases, worst 0.900x", text)
        self.assertIn("faster beyond noise: 1; rmsnorm_gemma W2048 T=128", text)
        self.assertIn("do not decide: 1", text)
        self.assertIn("broken not timed: does not compile (3 cases, the first: rmsnorm_gemma W2048 T=16)", text)
        page = report.markdown(results, self.ABOUT)
        self.assertIn("| family | case | T=1 | T=16 | T=128 |", page)
        self.assertIn("2 / 3 = **1.50x** +-6.7% (fast)", page)
        self.assertIn("fast 3 = 1.500x [1.400, 1.600]; broken: does not compile", report.line(results[0]))

    def test_tells_how_far_above_a_skeleton(self):
        peers = lambda ratio: {"skeleton": {"us": 2 * ratio, "ratio": ratio, "ratio_low": ratio, "ratio_high": ratio}}
        none = a_result(1.5, 1.4, 1.6, tokens=1024, peers={}, why="ours: no row")
        text = "\n".join(report.beside_skeletons([a_result(1, 1, 1, peers=peers(0.8)), a_result(1, 1, 1, tokens=1, peers=peers(1.0)), none]))
        self.assertIn(f"geometric mean of 2 cases: {0.8 ** -0.5:.3f}x", text)
        self.assertIn("T=1: 1.000x over 1 cases, worst 1.000x", text)
        self.assertIn("cases above 1.15x: 1; rmsnorm_gemma W2048 T=16 1.250x", text)
        self.assertIn("not compared: ours: no row (1 cases", text)
        self.assertEqual(report.beside_skeletons([none])[0], "nothing was compared")

    def test_exit_codes(self):
        good, none = a_result(1.5, 1.4, 1.6), a_result(1.5, 1.4, 1.6, peers={}, why="ours: no row")
        self.assertEqual(report.exit_code([good, none]), 0)
        self.assertEqual(report.exit_code([none]), 4)
        self.assertEqual(report.exit_code([]), 4)
        self.assertEqual(report.exit_code([good, {**none, "ours_wrong": "y: 3 of 4 elements are off"}]), 2)
        self.assertIn("not compared: ours: no row", report.line(none))
        self.assertIn("nothing was compared", report.summary([none])[0])

    def test_csv_has_the_ratios_at_the_times_of_the_table(self):
        result = a_result(1.5, 1.4, 1.6)
        result["ours"]["table_us"] = 1.6  # by another method than the 2.0 beside the peers
        with tempfile.TemporaryDirectory(prefix="fusetune-test-") as scratch:
            path = pathlib.Path(scratch) / "out.csv"
            report.write_csv(path, [result], {result["case"]: "KEY"})
            lines = path.read_text().splitlines()
        self.assertEqual(lines, ["case,peer,us", "KEY,slow,7.2", "KEY,fast,2.4"])

    def test_json_has_numbers_alone(self):
        with tempfile.TemporaryDirectory(prefix="fusetune-test-") as scratch:
            path = pathlib.Path(scratch) / "out.json"
            report.write_json(path, [a_result(1.5, 0.0, math.inf)], self.ABOUT, {"x": "y"}, ["said"])
            document = json.loads(path.read_text())
        self.assertIsNone(document["cases"][0]["samples"][0][0])
        self.assertIsNone(document["cases"][0]["peers"]["fast"]["ratio_high"])
        self.assertEqual((document["about"]["gpu"], document["summary"]), ("G", ["said"]))
        self.assertEqual(report.cell(a_result(1.5, 0.0, math.inf)), "2 / 3 = **1.50x** (fast)")


class Modules(unittest.TestCase):
    def test_those_that_need_a_gpu_are_python(self):
        for path in (ROOT / "scripts/peers").rglob("*.py"):
            ast.parse(path.read_text(), str(path))


if __name__ == "__main__":
    unittest.main()
