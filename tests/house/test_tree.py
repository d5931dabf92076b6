"""What must hold of the tree as a whole."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FORBIDDEN = {
    "a registry address": re.compile(
        r"p[y]pi\.org|python[h]osted|repo1?\.m[a]ven|registry\.n[p]mjs|deb\.d[e]bian"
    ),
    "a path of somebody's machine": re.compile(r"(?<![\w.])/(?:w[o]rk|r[o]ot|h[o]me/\w+)/"),
}


def tracked() -> list[Path]:
    """Every file git knows, as it is in the working tree."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str) -> None:
    """Registry addresses and machine paths would tie the project to one place."""
    hits = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert not hits, f"{what}:\n" + "\n".join(hits)


def test_no_tracked_file_is_large() -> None:
    """Recorded data does not belong in the project; only the locks may be long."""
    large = [str(p) for p in tracked() if p.stat().st_size > 1_000_000]
    assert not large


@pytest.mark.parametrize("lock", sorted((ROOT / "locks").glob("*.txt")), ids=lambda p: p.name)
def test_every_locked_package_has_a_version_and_a_hash(lock: Path) -> None:
    """Pins by name, version and hash, so that an install is the same everywhere."""
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert entries
    bad = [e.splitlines()[0] for e in entries if "==" not in e or "--hash=sha256:" not in e]
    assert not bad
