"""How cgroup v2 learns which device nodes its processes may open: by a program.

Version 2 has no file for this.  A small program is handed to the kernel, which proves that
it ends and reads nothing it should not (BPF_PROG_LOAD), and is then tied to the directory
of the cgroup (BPF_PROG_ATTACH).  The cgroup holds it from then on; our own descriptors can
be closed, and the program goes when the directory goes.

Programs of the cgroups above are asked too, and all have to say yes (BPF_F_ALLOW_MULTI):
nobody gets more here than the engine itself was given.

Source: man 2 bpf; Linux, include/uapi/linux/bpf.h, union bpf_attr, and kernel/bpf/cgroup.c.
"""

import ctypes
import errno
import os
import struct

from pyminidock.kernel.linux import syscalls

_PROG_LOAD, _PROG_ATTACH = 5, 8  # enum bpf_cmd
_CGROUP_DEVICE_PROGRAM = 15  # enum bpf_prog_type: BPF_PROG_TYPE_CGROUP_DEVICE
_CGROUP_DEVICE = 6  # enum bpf_attach_type
_ALLOW_MULTI = 2  # BPF_F_ALLOW_MULTI
_INSTRUCTION_BYTES = 8

# union bpf_attr { struct { __u32 prog_type, insn_cnt; __aligned_u64 insns, license;
#   __u32 log_level, log_size; __aligned_u64 log_buf; __u32 kern_version, prog_flags;
#   char prog_name[16]; … }; struct { __u32 target_fd, attach_bpf_fd, attach_type,
#   attach_flags; … }; … }.  What a shorter union leaves out is zero.
_LOAD = struct.Struct("<IIQQIIQII16s")
_ATTACH = struct.Struct("<IIII")
_ANSWER_NO = bytes.fromhex("b400000000000000 9500000000000000")  # r0 = 0; exit


def filter_devices(path: str, program: bytes) -> None:
    """Let `program` judge every mknod and open of a device in the cgroup `path` (v2).

    Raises OSError: ENOENT for no such directory, EINVAL for a program that is none, EPERM
    without CAP_SYS_ADMIN (or CAP_BPF and CAP_NET_ADMIN), EBADF where `path` is no cgroup
    of version 2.
    """
    cgroup = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        loaded = _load(program)
        try:
            attributes = _ATTACH.pack(cgroup, loaded, _CGROUP_DEVICE, _ALLOW_MULTI)
            syscalls.enter(syscalls.NR_BPF, _PROG_ATTACH, attributes, len(attributes))
        finally:
            os.close(loaded)
    finally:
        os.close(cgroup)


def refusal() -> str:
    """Say why this kernel takes no such program, by loading one; empty: it does.

    Nothing is left behind: a program that is tied to nothing goes with its descriptor.
    """
    try:
        os.close(_load(_ANSWER_NO))
    except OSError as refused:
        return os.strerror(refused.errno or errno.EIO).lower()
    return ""


def _load(program: bytes) -> int:
    """Hand a program to the kernel; give its descriptor, which closes on exec."""
    count, rest = divmod(len(program), _INSTRUCTION_BYTES)
    if rest or not count:
        raise OSError(errno.EINVAL, "a program is instructions of eight bytes each")
    instructions = ctypes.create_string_buffer(program, len(program))
    license_ = ctypes.create_string_buffer(b"Apache-2.0")  # it calls no GPL-only function
    attributes = _LOAD.pack(
        _CGROUP_DEVICE_PROGRAM, count,
        ctypes.addressof(instructions), ctypes.addressof(license_),
        0, 0, 0, 0, 0, b"minidock",
    )  # fmt: skip
    return syscalls.enter(syscalls.NR_BPF, _PROG_LOAD, attributes, len(attributes))
