"""Install reaseq into the virtual environment this runs in, with a torch that fits the machine.

    python scripts/install.py '.[embedded,onnx,dev]'

With an NVIDIA GPU the usual CUDA build of torch is taken. Without one, a CPU build: from pip if what
pip would take is one, else through uv, which knows where CPU builds are. Standard library only.
"""

import json
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"


def pip(*arguments: str, capture: bool = False) -> str:
    command = [sys.executable, "-m", "pip", *arguments]
    result = subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE if capture else None)
    return result.stdout or ""


def has_gpu() -> bool:
    tool = shutil.which("nvidia-smi")
    return tool is not None and subprocess.run([tool, "-L"], capture_output=True).returncode == 0


def torch_pin() -> str:
    match = re.search(r"^torch==\S+", CONSTRAINTS.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise SystemExit(f"{CONSTRAINTS} does not pin torch")
    return match.group()


def pip_has_cpu_build(pin: str) -> bool:
    """Would pip take a CPU build? Only on Linux x86-64 is the usual build a CUDA one."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return True
    report = json.loads(pip("install", "--dry-run", "--quiet", "--no-deps", "--report", "-", pin, capture=True))
    return all(item["metadata"]["version"].endswith("+cpu") for item in report["install"])


def main() -> None:
    wanted = sys.argv[1:] or ["."]
    if sys.prefix == sys.base_prefix:
        raise SystemExit("run this with the Python of a virtual environment, or simply: make setup")
    pip("install", "--quiet", "--upgrade", "pip")
    pin = torch_pin()
    if has_gpu():
        print("An NVIDIA GPU is here: taking the CUDA build of torch.", flush=True)
    elif pip_has_cpu_build(pin):
        print(f"No GPU: taking the CPU build of {pin} from pip.", flush=True)
        pip("install", "--quiet", pin)
    else:
        print(f"No GPU: taking the CPU build of {pin} through uv.", flush=True)
        pip("install", "--quiet", "uv")
        command = [sys.executable, "-m", "uv", "pip", "install", "--torch-backend=cpu", "--python", sys.executable, pin]
        subprocess.run(command, cwd=ROOT, check=True)
    pip("install", "--quiet", "-c", str(CONSTRAINTS), "-e", *wanted)


if __name__ == "__main__":
    main()
