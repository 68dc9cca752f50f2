"""Under which user the embedded servers run, and directories that this user can reach.

PostgreSQL refuses to run as root, so root starts it as `nobody`; whatever lies below a directory
closed to that user (a 0700 home) is then kept where it can be reached.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

STATE = Path("/var/lib/tidings")
"""Where root keeps what the unprivileged user could not reach in place."""


_NOT_NEEDED = shutil.ignore_patterns("include", "__pycache__")


class EmbeddedError(RuntimeError):
    """An embedded server cannot run here; the text says what to do."""


class As(TypedDict, total=False):
    """The arguments of subprocess.Popen that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The unprivileged user that root starts servers as."""

    uid: int
    gid: int


def unprivileged() -> Account | None:
    """Return whom to run servers as when we are root; None: as whoever we are."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "PostgreSQL does not run as root and this system has no user `nobody`: "
            "start Tidings as an ordinary user"
        ) from None
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def switched(account: Account | None) -> As:
    """Return what subprocess needs to start a program under `account`."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def can(what: str, path: Path, account: Account | None) -> bool:
    """Tell whether `account` may read (r), write (w) or enter (x) the path."""
    command = ["/bin/sh", "-c", f'test -{what} "$0"', str(path)]
    return subprocess.run(command, cwd="/", check=False, **switched(account)).returncode == 0


def workplace(directory: Path, name: str, account: Account | None) -> Path:
    """Return directory/name, writable by `account`; elsewhere, behind a link, if it must be."""
    place = directory.absolute() / name
    directory.mkdir(parents=True, exist_ok=True)
    if place.is_symlink():
        return _owned(place.readlink(), account)
    _owned(place, account)
    if can("w", place, account):
        return place
    moved = _elsewhere(place)
    place.rmdir()
    _owned(moved, account)
    place.symlink_to(moved)
    return moved


def readable(package: Path, name: str, program: str, account: Account | None) -> Path:
    """Return `package`, or a copy of it under `name` if `account` cannot run its program there."""
    if runs(package / program, account):
        return package
    copy = _state() / name
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=copy.parent))
        for part in (package, package.with_name(f"{package.name}.libs")):  # found by relative path
            if part.exists():
                shutil.copytree(part, fresh / part.name, ignore=_NOT_NEEDED)
        _open_to_all(fresh)
        _put_in_place(fresh, copy)
    if copy.stat().st_uid != os.geteuid() or not runs(copy / package.name / program, account):
        raise EmbeddedError(f"the user that runs PostgreSQL cannot use {copy}: remove it")
    return copy / package.name


def runs(program: Path, account: Account | None) -> bool:
    """Tell whether `account` can run the program, its libraries included."""
    command = [str(program), "--version"]
    try:
        done = subprocess.run(
            command, cwd="/", capture_output=True, check=False, **switched(account)
        )
    except OSError:
        return False
    return done.returncode == 0


def _put_in_place(fresh: Path, copy: Path) -> None:
    try:
        fresh.rename(copy)
    except OSError:  # another process was first
        shutil.rmtree(fresh)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)


def _elsewhere(place: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
    if place.is_relative_to(temporary()):  # what was meant to be temporary stays so
        return temporary() / f"tidings-{digest}"
    return _state() / f"{place.name}-{digest}"


def temporary() -> Path:
    """Return the system's directory for temporary files."""
    return Path(tempfile.gettempdir())


def _state() -> Path:
    """Return STATE; or a directory of ours under the system's temporary one if it is read-only."""
    try:
        STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError:
        return _owned(temporary() / "tidings-state", None, mode=0o755)
    return STATE


def _owned(place: Path, account: Account | None, mode: int = 0o700) -> Path:
    uid = os.geteuid() if account is None else account.uid
    if not place.exists():
        place.mkdir(mode=mode, parents=True)
        place.chmod(mode)
        if account is not None:
            os.chown(place, account.uid, account.gid)
    if place.stat().st_uid != uid:
        raise EmbeddedError(f"{place} belongs to another user: choose another directory")
    return place
