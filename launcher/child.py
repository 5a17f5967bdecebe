"""Becomes another program: first sees to it that it dies with its parent, and as whom it runs.

Run by path, in a bare interpreter, so that nothing is done between fork and exec in a process that
has threads: python -I -S child.py '{"parent": 1, "death": 2}' program arguments…
"""

import ctypes
import json
import os
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


def enter_namespace(uid: int, gid: int) -> None:
    """In here we are an ordinary user, as PostgreSQL wants; outside, files stay ours."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "no user namespace")
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{gid} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def become(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(parent: int, signal: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:
        sys.exit("the launcher is gone")


def main() -> None:
    order = json.loads(sys.argv[1])
    os.umask(0o077)
    if "namespace" in order:
        enter_namespace(*order["namespace"])
    if "user" in order:
        become(*order["user"])
    if "death" in order:
        die_with_parent(order["parent"], order["death"])
    for folder in order.get("needs", []):
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            sys.exit(f"cannot use {folder}")
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
