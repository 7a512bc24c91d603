"""What training costs beside other work: `python -m reaseq.bench.busy_machine`.

OpenMP's threads, which torch computes with, wait for each other by spinning. On a machine with nothing else to do that
is quickest; where another process has a core, each spins away the time that the one it waits for would need. Compared,
alone (the quickest of several) and beside as many busy processes as there are cores (the quickest and the slowest):

    spinning   what OpenMP does by itself
    passive    waiting threads sleep at once (OMP_WAIT_POLICY=passive)
    reaseq     they spin for a moment, then sleep: what every command sets, unless the environment says otherwise
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import reaseq

RESULTS = Path(__file__).parent / "results"
# GNU's OpenMP spins 300,000 times by itself (https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html).
SETTINGS: dict[str, dict[str, str]] = {
    "spinning": {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "300000"},
    "passive": {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"},
    "reaseq": dict(reaseq.WAITING),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1_000, help="of the made-up log")
    parser.add_argument("--items", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    print(f"{'threads wait':12} {'alone, s an epoch':>18} {f'beside {cores} busy':>15} {'slowest':>8}")
    table = {}
    for name, setting in SETTINGS.items():
        alone = min(_epoch(options, cores, setting) for _ in range(options.rounds))
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
        try:
            beside = sorted(_epoch(options, cores, setting) for _ in range(options.rounds))
        finally:
            for process in busy:
                process.kill()
                process.wait()
        table[name] = {"alone": alone, "beside": beside}
        print(f"{name:12} {alone:>18.2f} {beside[0]:>15.2f} {beside[-1]:>8.2f}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "busy_machine.json"
    path.write_text(json.dumps({"cores": cores, "seconds an epoch": table}, indent=1))
    print(f"\nwritten: {path}")


def _epoch(options: argparse.Namespace, threads: int, setting: dict[str, str]) -> float:
    command = [sys.executable, "-m", "reaseq.bench.ranker_speed", "--threads", str(threads)]
    command += ["--grow", str(options.users), str(options.items)]
    environment = {name: value for name, value in os.environ.items() if name not in reaseq.WAITING} | setting
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(json.loads(done.stdout.splitlines()[-1])["epoch_seconds"])


if __name__ == "__main__":
    main()
