"""Makes the secrets of one server: `python3 -m deploy.prepare DIRECTORY broker.clinic.example`.

Standard library and openssl only. What exists stays as it is, so that it may be run again.
"""

import argparse
import secrets
import subprocess
import sys
from pathlib import Path

from deploy.embedded.broker import INGEST, _password_file

CERTIFICATES = Path(__file__).with_name("certificates.sh")
ROLES = ("owner", "web", "worker")
USERS = {"owner": "postgres", "web": "tidings_web", "worker": "tidings_worker"}
WORDS = (*(f"{role}_password" for role in ROLES), "broker_password", "grafana_password")


def prepare(place: Path, broker_names: list[str]) -> list[str]:
    """Write what is missing; return the names of the files that were made."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.chmod(0o700)  # the files are readable to the containers' users, and only through this
    made = [name for name in WORDS if _keep(place / name, secrets.token_urlsafe(32))]
    for role in ROLES:
        password = (place / f"{role}_password").read_text("ascii")
        dsn = f"host=database dbname=tidings user={USERS[role]} password={password}"
        made += [f"{role}_dsn"] if _keep(place / f"{role}_dsn", dsn) else []
    broker = (place / "broker_password").read_text("ascii")
    if _keep(place / "broker_accounts", _password_file({INGEST: broker})):
        made.append("broker_accounts")
    return made + _certificates(place, broker_names)


def _certificates(place: Path, names: list[str]) -> list[str]:
    folder = place / "authority"
    made = []
    for name, arguments in (("authority", []), ("broker", ["broker", *names])):
        if not (folder / f"{name}.pem").exists():
            command = ["sh", str(CERTIFICATES), str(folder), *(arguments or [name])]
            subprocess.run(command, check=True)
            made.append(f"{name}.pem")
    for name in ("authority.pem", "broker.pem", "broker-key.pem"):
        _keep(place / name, (folder / name).read_text("ascii"))
    return made


def _keep(path: Path, text: str) -> bool:
    if path.exists():
        return False
    path.write_text(text, encoding="ascii")
    path.chmod(0o444)
    return True


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(prog="python3 -m deploy.prepare", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("broker", nargs="+", help="host names or addresses that homes will use")
    given = parser.parse_args()
    made = prepare(given.directory, [*given.broker, "broker", "localhost"])
    sys.stdout.write("made: " + (", ".join(made) or "nothing, all was there") + "\n")


if __name__ == "__main__":
    main()
