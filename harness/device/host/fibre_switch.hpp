#pragma once
// Switching between the machine's stack and the fibres' stacks. The modules contain the same switch
// inlined (host_shim.h); both leave a resume address on top of the stack that they give up.

extern "C" {

/// Goes to the fibre whose stack pointer is `to`; returns when something switches back to *save.
void ft_host_enter(void** save, void* to);

/// Goes to `to` for good.
[[noreturn]] void ft_host_leave(void* to);

/// Where a fresh fibre starts; calls ft_host_fibre_main.
void ft_host_fibre_start();

/// The body of every fibre, in fibre_block.cpp.
[[noreturn]] void ft_host_fibre_main();
}
