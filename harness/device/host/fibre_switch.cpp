#include "harness/device/host/fibre_switch.hpp"

#if !defined(__x86_64__)
#error "the fibre switch is written for x86-64"
#endif

// The caller's saved registers, then the resume address. Vector registers and flags are the
// caller's business under the System V convention.
asm(R"(
.text
.globl ft_host_enter
.type ft_host_enter, @function
ft_host_enter:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  leaq 1f(%rip), %rax
  pushq %rax
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %rax
  jmpq *%rax
1:
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size ft_host_enter, . - ft_host_enter

.globl ft_host_leave
.type ft_host_leave, @function
ft_host_leave:
  movq %rdi, %rsp
  popq %rax
  jmpq *%rax
.size ft_host_leave, . - ft_host_leave

.globl ft_host_fibre_start
.type ft_host_fibre_start, @function
ft_host_fibre_start:
  xorl %ebp, %ebp
  call ft_host_fibre_main@PLT
  ud2
.size ft_host_fibre_start, . - ft_host_fibre_start
)");
