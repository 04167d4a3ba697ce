"""Loads machine code into the process that torch computes in, and launches it, by CUDA's driver interface."""

import ctypes


class DriverError(Exception):
    pass


class Driver:
    """libcuda, in the context that torch has made current."""

    def __init__(self):
        self.cuda = ctypes.CDLL("libcuda.so.1")

    def check(self, result, call):
        if result != 0:
            name = ctypes.c_char_p()
            self.cuda.cuGetErrorName(result, ctypes.byref(name))
            raise DriverError(f"{call}: {(name.value or b'?').decode()}")

    def load(self, code, entry):
        """A function of a cubin. Modules stay loaded until the process ends: graphs hold their functions."""
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.cuda.cuModuleLoadData(ctypes.byref(module), ctypes.c_char_p(code)), "cuModuleLoadData")
        self.check(self.cuda.cuModuleGetFunction(ctypes.byref(function), module, entry.encode()), "cuModuleGetFunction")
        return function

    def launch(self, function, launch, values, stream):
        """`launch`: a table.Launch; `values`: ctypes values, as abi.arguments makes them; `stream`: its handle, as an integer. The driver
        copies the arguments: nothing of them is needed afterwards."""
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        shape = [ctypes.c_uint(size) for size in (*launch.grid, *launch.block, launch.lds_bytes)]
        self.check(self.cuda.cuLaunchKernel(function, *shape, ctypes.c_void_p(stream), pointers, None), "cuLaunchKernel")
