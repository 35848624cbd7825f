#!/bin/sh
# pyOpenSSL cannot set its verify callback in a process that may not make memory executable, which is what systemd's
# MemoryDenyWriteExecute=yes asks for: cffi makes the callback at run time. aiortc sets one for every DTLS connection,
# so signaling works and no consult has media. It fails with MemoryError, although memory is not short.
#
# Needs Linux 6.3 or newer (prctl PR_SET_MDWE). Exits 1 when the behaviour has changed, 2 when it cannot be tried here.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyOpenSSL==26.4.0 cryptography==50.0.2 cffi==2.1.1
cat > "$folder/try.py" <<'PYTHON'
import ctypes
import importlib.metadata
import sys

from OpenSSL import SSL

PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1

for name in ("pyOpenSSL", "cryptography", "cffi"):
    print(name, importlib.metadata.version(name))


def attempt() -> str:
    try:
        SSL.Context(SSL.DTLS_METHOD).set_verify(SSL.VERIFY_PEER, lambda *_: True)
    except MemoryError:
        return "MemoryError"
    return "set"


if "free" in sys.argv:
    print("verify callback without the restriction:", attempt())
    sys.exit(0)
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
    print("this kernel has no PR_SET_MDWE")
    sys.exit(2)
after = attempt()
print("verify callback with it:", after)
sys.exit(0 if after == "MemoryError" else 1)
PYTHON
# Each in a process of its own: what was made executable before the restriction stays so, and is used again.
"$folder/venv/bin/python" "$folder/try.py" free
"$folder/venv/bin/python" "$folder/try.py"
