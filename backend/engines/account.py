"""The system account the engines run as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .errors import EngineError

ACCOUNT = "huiyuan"
_OTHERS_MAY_PASS = stat.S_IXOTH
_OTHERS_MAY_READ = stat.S_IROTH | stat.S_IXOTH


@dataclass(frozen=True)
class Account:
    """Whom an engine runs as; ``uid`` None means: as ourselves, nothing to change."""

    name: str
    uid: int | None
    gid: int | None

    def popen_args(self) -> dict[str, object]:
        """The arguments of ``subprocess`` that start a child as this account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a file or directory to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def choose(database: Path) -> Account:
    """Ourselves when we are not root; else the owner of an existing database, or an account made for the purpose."""
    if os.geteuid() != 0:
        return Account(name=str(os.geteuid()), uid=None, gid=None)
    if database.exists():
        owner = _by_uid(database.stat().st_uid)
        if owner is not None and owner.pw_uid != 0:
            return _account(owner)
    entry = _by_name(ACCOUNT) or _by_name("postgres") or _create() or _by_name("nobody")
    if entry is None:
        raise EngineError("PostgreSQL does not run as root and there is no other account: start as an ordinary user")
    return _account(entry)


def of_clusters() -> Account:
    """Who runs an installed PostgreSQL: its own account when we are root; else ourselves."""
    entry = _by_name("postgres") if os.geteuid() == 0 else None
    return _account(entry) if entry is not None else choose(Path("/nonexistent"))


def open_the_way(target: Path, account: Account, say: Callable[[str], None]) -> None:
    """Let the account pass through the directories above ``target`` (``o+x``, never ``o+r``), where it could not."""
    if account.uid is None:
        return
    for directory in target.resolve().parents:
        mode = directory.stat().st_mode
        if mode & _OTHERS_MAY_PASS or directory.stat().st_uid == account.uid:
            continue
        say(f"{directory}: chmod o+x, so that PostgreSQL (which does not run as root) can reach {target.name}")
        directory.chmod(mode | _OTHERS_MAY_PASS)


def make_readable(tree: Path, account: Account) -> None:
    """Let the account read a directory of programs, where a strict umask at installation kept others out."""
    if account.uid is None or all(_readable(path) for path in (tree, *tree.glob("*"), *tree.glob("bin/*"))):
        return
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            executable = path.is_dir() or mode & stat.S_IXUSR
            path.chmod(mode | (_OTHERS_MAY_READ if executable else stat.S_IROTH))


def _readable(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IROTH)


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def _by_name(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _by_uid(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd | None:
    """Make a system account without a home or a shell; None where the machine does not allow it."""
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return None
    command = [useradd, "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", ACCOUNT]
    subprocess.run(command, capture_output=True, check=False, timeout=20)
    return _by_name(ACCOUNT)
