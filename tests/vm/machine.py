"""A small virtual machine with another kernel: cgroup v2, and features that are missing.

The machines that run our tests have cgroup v1.  Here Debian's cloud kernel boots under
QEMU, without KVM, from an initial file system made of the distribution's own Python, a
static BusyBox and this project; a guest (`guest.py`, `rebooted.py`) runs in it as the first
process, and its lines come back over the serial console.

    {"check": "memory", "ok": true, "detail": ""}      one line per check

What shall be there after another boot lies on a disk: a file with an empty ext4, which this
kernel knows without a module, as it does the controller.

Source: qemu-system-x86_64(1), cpio(5) "newc", the kernel's early userspace documentation.
"""

import gzip
import json
import lzma
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import dnslib
import h11

REPOSITORY = Path(__file__).parents[2]
GUEST_PYTHON = Path("/usr/bin/python3")  # the distribution's: its library lies in one place
_FILTER = "kernel/net/netfilter"
NETWORK_MODULES = (
    "kernel/net/802/stp.ko", "kernel/net/llc/llc.ko", "kernel/net/bridge/bridge.ko",
    "kernel/drivers/net/veth.ko", "kernel/lib/libcrc32c.ko", f"{_FILTER}/nfnetlink.ko",
    "kernel/net/ipv4/netfilter/nf_defrag_ipv4.ko",
    "kernel/net/ipv6/netfilter/nf_defrag_ipv6.ko",
    *(f"{_FILTER}/{name}.ko" for name in (
        "nf_conntrack", "nf_nat", "nf_tables", "nft_ct", "nft_chain_nat", "nft_nat",
        "nft_masq", "nft_fib")),
    "kernel/net/ipv4/netfilter/nft_fib_ipv4.ko",
    "kernel/net/ipv6/netfilter/nft_fib_ipv6.ko",
    f"{_FILTER}/nft_fib_inet.ko", "kernel/net/bridge/netfilter/nft_meta_bridge.ko",
    "kernel/net/bridge/netfilter/nf_conntrack_bridge.ko",
)  # fmt: skip
MODULES = (
    "kernel/fs/overlayfs/overlay.ko", "kernel/drivers/block/loop.ko", *NETWORK_MODULES
)  # fmt: skip
GUESTS = ("guest.py", "rebooted.py")
DISK_BYTES = 256 << 20
MEMORY = "768M"
_NO_CACHE = shutil.ignore_patterns("__pycache__")


@dataclass(frozen=True, slots=True)
class Check:
    """What the guest said of one check."""

    ok: bool
    detail: str


def boot(
    place: Path, *, options: str = "", timeout_s: float = 300, disk: Path | None = None
) -> dict[str, Check]:
    """Boot once and give what each check said.

    `place` keeps kernel, first root and console log.  `options` are added to the kernel
    command line; what it does not know of the form NAME=value is in the environment of the
    guest: GUEST=rebooted chooses another one.  `disk` is /dev/nvme0n1.
    Raises AssertionError, with the end of the console, when the guest does not come to its
    own end.
    """
    kernel = _unpack_kernel(place)
    initrd = place / "initrd.gz"
    if not initrd.exists():
        _initial_files(place, kernel)
    drive = ("-drive", f"file={disk},if=none,format=raw,id=disk",
             "-device", "nvme,drive=disk,serial=1") if disk else ()  # fmt: skip
    console = place / "console.log"
    with console.open("wb") as log:
        machine = subprocess.run(
            ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max",
             "-m", MEMORY, "-smp", "1", "-nographic", "-no-reboot", "-nic", "none", *drive,
             "-kernel", str(kernel), "-initrd", str(initrd),
             "-append", f"console=ttyS0 quiet panic=-1 rdinit=/init {options}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            timeout=timeout_s, check=False,
        )  # fmt: skip
    lines = console.read_text(errors="replace").splitlines()
    said = [json.loads(line) for line in lines if line.startswith('{"check"')]
    answers = {line["check"]: Check(line["ok"], line["detail"]) for line in said}
    assert machine.returncode == 0, "\n".join(lines[-40:])
    assert "end" in answers, "\n".join(lines[-40:])
    return answers


def make_disk(place: Path) -> Path:
    """Make an empty disk that a guest can mount as ext4."""
    disk = place / "disk"
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", disk], check=True)
    return disk


def _unpack_kernel(place: Path) -> Path:
    """Download Debian's cloud kernel and unpack it; once per `place`."""
    boot_directory = place / "kernel" / "boot"
    if not boot_directory.exists():
        place.mkdir(parents=True, exist_ok=True)
        shown = subprocess.run(
            ["apt-cache", "depends", "linux-image-cloud-amd64"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        name = next(
            word for line in shown.stdout.splitlines() if "Depends: linux-image" in line
            for word in line.split()[-1:]
        )  # fmt: skip
        for old in place.glob("*.deb"):
            old.unlink()
        subprocess.run(["apt-get", "-q", "download", name], cwd=place, check=True,
                       capture_output=True)  # fmt: skip
        package = next(place.glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", package, place / "kernel"], check=True)
        package.unlink()
    return next(boot_directory.glob("vmlinuz-*"))


def _initial_files(place: Path, kernel: Path) -> Path:
    """Make the compressed archive that the kernel unpacks as its first root."""
    root = place / "root"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "proc", "sys", "dev", "tmp", "modules", "new"):
        (root / name).mkdir(parents=True)
    busybox = shutil.which("busybox")
    assert busybox, "install busybox-static"
    shutil.copy(busybox, root / "bin" / "busybox")
    (root / "bin" / "sh").symlink_to("busybox")
    _copy_python(root)
    _copy_modules(root, kernel)
    shutil.copytree(
        REPOSITORY / "pyminidock", root / "project" / "pyminidock", ignore=_NO_CACHE
    )  # fmt: skip
    for package in (dnslib, h11):  # what the engine needs of others, all Python
        there = Path(str(package.__file__)).parent
        shutil.copytree(there, root / "project" / there.name, ignore=_NO_CACHE)
    for name in GUESTS:
        shutil.copy(Path(__file__).with_name(name), root / "project" / name)
    shutil.copy(REPOSITORY / "tests" / "rawapi.py", root / "project" / "rawapi.py")
    subprocess.run([GUEST_PYTHON, "-m", "compileall", "-q", root / "project"], check=True)
    init = root / "init"
    init.write_text(_INIT)
    init.chmod(0o755)
    return _pack(root, place / "initrd.gz")


# The first root cannot be pivoted away from, so everything moves to a tmpfs first.
_INIT = f"""#!/bin/sh
/bin/busybox mount -t tmpfs -o mode=755 root /new
cd / && /bin/busybox cp -a bin modules project usr lib lib64 init /new/ 2>/dev/null
/bin/busybox mkdir -p /new/proc /new/sys /new/dev /new/tmp
exec /bin/busybox switch_root /new {GUEST_PYTHON} /project/${{GUEST:-guest}}.py
"""


def _copy_python(root: Path) -> None:
    """Copy the interpreter, its standard library and the shared objects of both."""
    real = GUEST_PYTHON.resolve()
    library = Path(f"/usr/lib/{real.name}")
    shutil.copytree(
        library, root / library.relative_to("/"), symlinks=False,
        ignore=shutil.ignore_patterns("test", "idlelib", "tkinter", "ensurepip", "config-*",
                                      "lib2to3", "pydoc_data", "turtledemo"),
    )  # fmt: skip
    target = root / GUEST_PYTHON.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(real, target)
    objects = {real, *library.glob("lib-dynload/*.so")}
    needed: set[str] = set()
    for path in objects:
        shown = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
        needed |= {word for word in shown.stdout.split() if word.startswith("/")}
    for name in sorted(needed):
        copy = root / name.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, copy)


def _copy_modules(root: Path, kernel: Path) -> None:
    """Copy the modules that the guest loads by hand, decompressed, and their names."""
    tree = next((kernel.parents[1] / "usr" / "lib" / "modules").glob("*"), None) or next(
        (kernel.parents[1] / "lib" / "modules").glob("*")
    )
    for name in MODULES:
        target = root / "modules" / Path(name).name
        packed = tree / f"{name}.xz"
        if packed.exists():
            target.write_bytes(lzma.decompress(packed.read_bytes()))
        else:
            shutil.copy(tree / name, target)
    names = "\n".join(Path(name).stem for name in MODULES)
    (root / "modules" / "names").write_text(names)


def _pack(root: Path, archive: Path) -> Path:
    """Write the tree as a "newc" cpio archive, gzip at its fastest."""
    with gzip.open(archive, "wb", compresslevel=1) as out:
        for number, path in enumerate(sorted(root.rglob("*")), 1):
            status = path.lstat()
            data = b""
            if path.is_symlink():
                data = os.fsencode(path.readlink())
            elif path.is_file():
                data = path.read_bytes()
            name = os.fsencode(path.relative_to(root)) + b"\0"
            fields = (
                number,
                status.st_mode,
                0,
                0,
                1,
                0,
                len(data),
                0,
                0,
                0,
                0,
                len(name),
                0,
            )
            out.write(b"070701" + b"".join(b"%08X" % field for field in fields))
            out.write(name + bytes(-(110 + len(name)) % 4))
            out.write(data + bytes(-len(data) % 4))
        trailer = b"TRAILER!!!\0"
        fields = (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(trailer), 0)
        out.write(b"070701" + b"".join(b"%08X" % field for field in fields))
        out.write(trailer + bytes(-(110 + len(trailer)) % 4))
    return archive


if __name__ == "__main__":
    (Path(sys.argv[1]) / "initrd.gz").unlink(missing_ok=True)  # the project may be newer
    for name, check in boot(Path(sys.argv[1]), options=" ".join(sys.argv[2:])).items():
        sys.stdout.write(f"{'ok  ' if check.ok else 'FAIL'} {name} {check.detail}\n")
