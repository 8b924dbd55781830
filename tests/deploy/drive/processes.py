"""Starts the emulator, the simulated PSA and the simulated vendor, and ends what it started by process id."""

import atexit
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

REGION = "eu-central-1"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(what: str, ready, seconds: float = 60.0, pause: float = 0.2):
    """Asks `ready` until it answers something, for at most `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = ready()
        if found:
            return found
        time.sleep(pause)
    raise SystemExit(f"gave up after {seconds:.0f} s: {what}")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def start(name: str, command: list[str], log: Path, environment: dict[str, str]) -> subprocess.Popen:
    out = log.open("wb")
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **environment},
        start_new_session=True,
    )

    def end():
        if process.poll() is None:
            # Its own group: functions that the emulator runs are its children.
            os.killpg(process.pid, 15)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()

    atexit.register(end)
    print(f"  {name}: pid {process.pid}, log {log}")
    return process


def emulator(python: str, work: Path, log: Path) -> str:
    """The AWS emulator; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        # Handed on to the functions that it runs.
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "0",
        "TMPDIR": str(work),
    }
    start("emulator", [python, "-m", "ministack"], log, environment)
    wait_until("the emulator starts", lambda: answers(f"{address}/_ministack/health"))
    return address


def simulated_psa(binary: Path, log: Path) -> tuple[str, dict[str, str]]:
    """The simulated Autotask; its address, and the credentials that it prints."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    start("simulated Autotask", [str(binary), "--listen", f"127.0.0.1:{port}", "--companies", "12"], log, {})
    wait_until("the simulated PSA starts", lambda: answers(f"{address}/__sim/counts"))
    return address, printed(log, ("username", "secret", "integration_code"))


def simulated_source(binary: Path, log: Path) -> tuple[str, dict[str, str]]:
    """The simulated Huntress; its address, and the credentials that it prints."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    listen = ["--source", "huntress", "--listen", f"127.0.0.1:{port}", "--companies", "12"]
    start("simulated Huntress", [str(binary), *listen], log, {})
    wait_until("the simulated vendor starts", lambda: answers(f"{address}/__sim/limits"))
    return address, printed(log, ("key", "secret"))


def printed(log: Path, names: tuple[str, ...]) -> dict[str, str]:
    """What a simulator says of itself before it is asked anything."""
    lines = lambda: dict(line.split("=", 1) for line in log.read_text().splitlines() if "=" in line)
    found = wait_until("it prints its credentials", lambda: lines() if set(names) <= set(lines()) else None)
    return {name: found[name] for name in names}

