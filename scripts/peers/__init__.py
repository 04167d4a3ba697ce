"""Public ways to compute what our kernels compute, timed beside them on an NVIDIA GPU: the parts of scripts/compare-peers.

cases.py, abi.py, table.py, nvrtc.py, driver.py, plan.py, stats.py and report.py need Python's standard library alone; the rest needs torch and a GPU.
"""
