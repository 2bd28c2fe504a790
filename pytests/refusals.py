"""Machines that refuse something, made of this one: a command prefix each, which starts what follows it as that machine would.

Run as a program (`python3 refusals.py KIND COMMAND...`) it sets up a seccomp(2) filter, as a container does, and starts
COMMAND below it.
"""

import ctypes
import os
import platform
import struct
import subprocess
import sys

CLONE_NEW = 0x7e020000  # sched.h: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
AF_PACKET = 17
EPERM, ENOSYS = 1, 38
# Of unshare, setns, clone, clone3, socket.
NUMBERS = {"x86_64": (272, 308, 56, 435, 41), "aarch64": (97, 268, 220, 435, 198)}

# linux/filter.h, linux/seccomp.h
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7fff0000, 0x00050000
NUMBER, FIRST_ARGUMENT = 0, 16  # of struct seccomp_data


def refuse_call(number, error):
    return [(LOAD, 0, 0, NUMBER), (EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | error)]


def refuse_flags(number, flags, error):
    return [(LOAD, 0, 0, NUMBER), (EQUAL, 0, 3, number), (LOAD, 0, 0, FIRST_ARGUMENT),
            (ANY_BIT, 0, 1, flags), (RETURN, 0, 0, ERRNO | error)]


def refuse_family(number, family, error):
    return [(LOAD, 0, 0, NUMBER), (EQUAL, 0, 3, number), (LOAD, 0, 0, FIRST_ARGUMENT),
            (EQUAL, 0, 1, family), (RETURN, 0, 0, ERRNO | error)]


def program_of(kind):
    unshare, setns, clone, clone3, socket = NUMBERS[platform.machine()]
    namespaces = refuse_call(unshare, EPERM) + refuse_call(setns, EPERM)
    parts = {
        # As Docker's default profile does for a process without CAP_SYS_ADMIN.
        "namespaces": namespaces + refuse_flags(clone, CLONE_NEW, EPERM) + refuse_call(clone3, ENOSYS),
        "host-namespaces": namespaces,
        "packet-sockets": refuse_family(socket, AF_PACKET, EPERM),
    }
    return parts[kind] + [(RETURN, 0, 0, ALLOW)]


def install(instructions):
    libc = ctypes.CDLL(None, use_errno=True)
    code = b"".join(struct.pack("HBBI", *one) for one in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(instructions), ctypes.addressof(buffer))
    if libc.prctl(38, 1, 0, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    if libc.prctl(22, 2, program, 0, 0) != 0:  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")


def seccomp(kind):
    return [sys.executable, __file__, kind]


# In a user namespace of its own the limit is that of its descendants, and the machine's stays as it is.
NO_USER_NAMESPACES = ["unshare", "--user", "--map-root-user", "sh", "-c",
                      'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
# A /dev/net with nothing in it.
NO_TUN = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
          'if [ -d /dev/net ]; then mount -t tmpfs none /dev/net; fi && exec "$@"', "sh"]


def can(prefix):
    """Whether this machine can be made to refuse so."""
    return subprocess.run([*prefix, "true"], capture_output=True).returncode == 0


if __name__ == "__main__":
    install(program_of(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
