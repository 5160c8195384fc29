"""Vendored files are the ones that VENDORED.md names, byte for byte."""

import hashlib
import re
from pathlib import Path

from django.conf import settings

VENDOR = Path(settings.BASE_DIR) / "registry" / "static" / "vendor"
RECORD = VENDOR / "VENDORED.md"


def test_every_vendored_file_has_the_recorded_hash() -> None:
    recorded = dict(re.findall(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", RECORD.read_text(), re.M))
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path != RECORD
    }
    assert found == recorded


def test_every_package_has_its_licence_and_integrity() -> None:
    packages = [path for path in VENDOR.iterdir() if path.is_dir()]
    assert packages
    assert all((package / "LICENSE").is_file() for package in packages)
    assert len(re.findall(r"sha512-[A-Za-z0-9+/]{86}==", RECORD.read_text())) == len(packages)


def test_no_style_sheet_refers_to_a_file_that_is_not_here() -> None:
    for sheet in VENDOR.rglob("*.css"):
        text = sheet.read_text()
        assert "sourceMappingURL" not in text
        assert not re.findall(r"url\((?!['\"]?data:)", text)
