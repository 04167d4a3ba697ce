"""Rows beyond the largest grid. No proof has the millions of blocks that it takes, so the kernels are proved again with a largest grid of two."""

import shutil

import harness

GRID = "floor_div(4294967295, block_size)"
LARGEST = "gridDim.x == 0xffffffffu / BLOCK"


class CutGrid(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        root = self.dir / "root"
        shutil.copytree(harness.ROOT / "kernels", root / "kernels")
        for name in ("harness", "reference", "configs", "tests"):
            (root / name).symlink_to(harness.ROOT / name)
        self.kernels = root / "kernels"
        self.replace("common/ft.h", LARGEST, "gridDim.x == 2")
        self.root = self.environment(FUSETUNE_ROOT=str(root))

    def replace(self, file, old, new):
        path = self.kernels / file
        self.assertEqual(path.read_text().count(old), 1, (file, old))
        path.write_text(path.read_text().replace(old, new))

    def verify(self, case, expect=0):
        for wave in (32, 64):
            result = self.run_program("verify", case, "--device", f"host-w{wave}", "--space", 8, environment=self.root)
            self.assertEqual(result.returncode, expect, result.stdout + result.stderr)

    def test_splits(self):
        self.replace("split_reshape_cat/family.yaml", GRID, "2")
        self.verify("split_reshape_cat(layout=interleaved,nk=2,nv=6,tokens=41)")
        self.verify("split_reshape_cat(layout=contiguous,nk=2,nv=4,num_actual_tokens=30,tokens=41,zero_fill=on)")
        self.replace("common/ft.h", "gridDim.x == 2", "gridDim.x == 3")
        self.verify("split_reshape_cat(layout=interleaved,nk=2,nv=6,tokens=41)", expect=2)

    def test_gated_norms(self):
        self.replace("rmsnorm_gated/family.yaml", GRID, "2")
        self.verify("rmsnorm_gated(heads=4,tokens=41)")
        self.replace("common/ft.h", "gridDim.x == 2", "gridDim.x == 3")
        self.verify("rmsnorm_gated(heads=4,tokens=41)", expect=2)

    def test_norms_of_rows(self):
        self.replace("rmsnorm_gemma/family.yaml", GRID, "2")
        self.verify("rmsnorm_gemma(tokens=41,width=256)")
        self.verify("rmsnorm_gemma(residual=on,tokens=41,width=512)")
        self.replace("rmsnorm_gemma/rmsnorm_gemma.hip", "if (kManyRows || row0 >= rows) return;", "return;")
        self.verify("rmsnorm_gemma(tokens=41,width=256)", expect=2)

    def test_heads(self):
        # Rotation and the front of attention keep their loops, or have no more blocks than a grid.
        self.replace("mrope/family.yaml", GRID, "2")
        self.verify("mrope(head_dim=64,kv_heads=1,q_heads=2,rotary_dim=32,tokens=41)")


if __name__ == "__main__":
    harness.main()
