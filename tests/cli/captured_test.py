"""A kernel of the user's own whose truth is captured vectors: golden, verify and tune without a reference."""

import json
import struct

import harness

FAMILY = """
family: halved
rows: tokens
symbols:
  tokens: {kind: runtime}
  width: {kind: static}
dtypes:
  act: {values: [fp32]}
tensors:
  x: {role: in, dtype: act, shape: [tokens, width], generator: normal}
  y: {role: out, dtype: act, shape: [tokens, width], accept: {ulp: 1, norms: row}}
axes:
  block_size: {values: [64, 128], range: [64, 256]}
implementations:
  fused:
    role: tuned
    source: halved.hip
    launches:
      - {entry: halved, grid: ["ceil_div(tokens * width, block_size)"], block: [block_size]}
  plain:
    role: baseline
    source: halved.hip
    axes: []
    fixed: {block_size: 256}
    launches:
      - {entry: halved, grid: ["ceil_div(tokens * width, block_size)"], block: [block_size]}
reference: captured
captured: [vectors.safetensors]
golden:
  halved:
    symbols: {tokens: T, width: D}
    tensors: {x: x, y: y}
"""

KERNEL = """
#include "ft.h"
FT_KERNEL(FT_BLOCK_SIZE)
void halved(const void* x, void* y, ft_i64 tokens) {
  const ft_i64 i = static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE + ft_thread();
  if (i < tokens * FT_WIDTH) static_cast<float*>(y)[i] = 0.5f * static_cast<const float*>(x)[i];
}
"""

SWEEP = """
sweep: halves
device: host-w64
families:
  - family: halved
    symbols: [{width: 8}]
    tokens: {1: 0.5, 32: 0.5}
measure: {data: hot, budget_s: 1}
"""


def vectors(tokens_of, width=8, changed=None):
    """A file with a case for each row count; one output is off in the `changed` one."""
    header, data, listed = {}, b"", []
    for tokens in tokens_of:
        name = f"t{tokens}"
        x = [1 + i / 7 for i in range(tokens * width)]
        y = [number / 2 for number in x]
        if changed == name:
            y[3] += 0.25
        listed.append({"case": name, "family": "halved", "params": {"T": tokens, "D": width},
                       "tensors": {"x": ["F32", [tokens, width]], "y": ["F32", [tokens, width]]}})
        for tensor, numbers in (("x", x), ("y", y)):
            content = struct.pack(f"<{len(numbers)}f", *numbers)
            header[f"{name}/{tensor}"] = {"dtype": "F32", "shape": [tokens, width],
                                          "data_offsets": [len(data), len(data) + len(content)]}
            data += content
    header["__metadata__"] = {"cases": json.dumps(listed)}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


class Captured(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("kernels/halved/family.yaml", FAMILY)
        self.write("kernels/halved/halved.hip", KERNEL)
        self.file = self.dir / "kernels/halved/vectors.safetensors"
        self.file.write_bytes(vectors([1, 5, 200]))
        self.kernels = self.environment(FUSETUNE_KERNEL_PATH=str(self.dir / "kernels"))

    def program(self, *arguments):
        return self.run_program(*arguments, environment=self.kernels)

    def documents(self, *arguments, expect=0):
        return self.run_json(*arguments, environment=self.kernels, expect=expect)

    def refusal(self, *arguments):
        result = self.program(*arguments)
        self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
        return harness.unwrapped(result.stderr)

    def test_golden_proves_every_variant_and_says_that_nothing_checked_the_vectors(self):
        documents = self.documents("golden", self.file, "--space", "full")
        self.assertEqual([document["device"] for document in documents], ["host-w64", "host-w32"])
        for document in documents:
            self.assertEqual([case["reference"] for case in document["cases"]], ["captured"] * 3)
            self.assertEqual([case["variants"] for case in document["cases"]], [3] * 3)
            self.assertTrue(all(case["passed"] for case in document["cases"]))
        result = self.program("golden", self.file, "--cases", "--device", "host-w64")
        self.assertIn("no reference compared in 3 cases: the captured vectors are the truth",
                      harness.unwrapped(result.stdout))
        self.assertIn("no reference, 3 of 3 variants agree", result.stdout)
        self.assertNotIn("reference agrees", result.stdout)

    def test_a_wrong_kernel_is_found(self):
        self.write("kernels/halved/halved.hip", KERNEL.replace("0.5f", "0.51f"))
        documents = self.documents("golden", self.file, "--space", 1, expect=2)
        for document in documents:
            self.assertFalse(any(case["passed"] for case in document["cases"]))

    def test_verify_uses_the_captured_cases_and_says_so(self):
        document = self.documents("verify", "halved", "-o", "width=8", "--device", "host-w64")[0]
        self.assertEqual(document["failures"], [])
        geometry = document["proofs"]["geometries"][0]
        # Of three variants: three cases with the code that is timed, the two small ones in EXACT mode as well.
        self.assertEqual((geometry["proved"], geometry["runs"], geometry["exact_runs"]), (3, 15, 6))
        left_out = [reason for reason in document["proofs"]["left_out"] if "there is no reference" in reason]
        self.assertEqual(len(left_out), 1)

    def test_other_vectors_are_another_proof(self):
        arguments = ("verify", "halved", "-o", "width=8", "--device", "host-w64")
        self.documents(*arguments)
        self.file.write_bytes(vectors([1, 5, 200], changed="t200"))
        document = self.documents(*arguments, expect=2)[0]
        self.assertEqual([failure["case"] for failure in document["proofs"]["failed"]],
                         ["halved(act=fp32,tokens=200,width=8)"] * 3)

    def test_a_sweep_is_tuned_and_its_table_says_what_it_was_proved_on(self):
        document = self.documents("tune", self.write("sweep.yaml", SWEEP))
        self.assertEqual([row["status"] for row in document["rows"]], ["ok", "ok"])
        table = (self.dir / "results/host-w64/halved.yaml").read_text()
        self.assertEqual(table.count("proved_on: 'host-w64 exact and fast, at captured cases alone'"), 2, table)

    def test_a_table_needs_a_baseline(self):
        text = FAMILY[:FAMILY.index("  plain:")] + FAMILY[FAMILY.index("reference:"):]
        self.write("kernels/halved/family.yaml", text)
        self.assertIn("no implementation of role baseline", self.refusal("tune", self.write("sweep.yaml", SWEEP)))

    def test_what_nothing_can_prove_is_refused(self):
        self.assertIn("nothing can prove halved(act=fp32,width=16): the captured cases are of halved(act=fp32,width=8)",
                      self.refusal("verify", "halved", "-o", "width=16"))
        self.write("kernels/halved/family.yaml", FAMILY.replace("captured: [vectors.safetensors]\n", ""))
        for arguments in (("verify", "halved", "-o", "width=8"), ("tune", self.write("sweep.yaml", SWEEP))):
            self.assertIn("prove it with `fusetune golden FILE`, or add a reference", self.refusal(*arguments))
        documents = self.documents("golden", self.file, "--space", 1)
        self.assertTrue(all(case["passed"] for document in documents for case in document["cases"]))

    def test_a_case_that_does_not_fit_is_the_users_error(self):
        self.file.write_bytes(self.file.read_bytes().replace(b'\\"T\\": 5', b'\\"T\\": 6'))
        for arguments in (("verify", "halved", "-o", "width=8"), ("golden", self.file, "--device", "host-w64")):
            self.assertIn("golden case t5: tensor 'x' is [5, 8] there and [6, 8] here", self.refusal(*arguments))


if __name__ == "__main__":
    harness.main()
