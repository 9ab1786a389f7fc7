# SPDX-License-Identifier: GPL-3.0-or-later
"""What school systems export, and the pupil numbers of the guide: files from outside, read as
Python reads them."""
import csv
import io
import json
import subprocess

import pytest


@pytest.fixture(scope="module")
def probe(build):
    """probe(what, bytes) -> the JSON values that tests/tools/fieldprobe prints."""
    def ask(what, data):
        done = subprocess.run([build / "tests" / "tools" / "fieldprobe", what], input=data,
                              check=True, capture_output=True)
        return [json.loads(line) for line in done.stdout.splitlines()]
    return ask


def expected(text, delimiter=","):
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [row for row in ([cell.strip() for cell in row] for row in rows) if any(row)]


@pytest.mark.parametrize("name, encoding", [
    ("sims_style.csv", "cp1252"), ("arbor_style.csv", "utf-8-sig"),
    ("generic_template.csv", "utf-8-sig")])
def test_exports_of_school_systems_are_read_as_python_reads_them(probe, shared, name, encoding):
    data = (shared / "data" / "mis" / "sample-school" / name).read_bytes()
    rows = expected(data.decode(encoding))
    assert len(rows) > 400
    assert probe("csv", data) == rows + ["end"]


def test_broken_lists_of_classes_end_in_rows_or_a_sentence(probe, shared):
    files = sorted((shared / "data" / "mis" / "nhs-mavis-import-fixtures").rglob("*.csv"))
    assert files
    for path in files:
        last = probe("csv", path.read_bytes())[-1]
        assert last == "end" or len(last["bad"]) > 10, path.name


def test_K16_pupil_numbers_are_told_right_from_wrong(probe, shared):
    lines = (shared / "data" / "mis" / "upn_vectors_dev.tsv").read_text().splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    # Blanks round a number are taken off before it is looked at.
    rows = [(upn.strip(), valid == "1" or "trim first" in why) for upn, valid, why in rows if upn]
    assert len(rows) > 60
    for (upn, valid), read in zip(rows, probe("upn", "".join(
            f"{upn}\n" for upn, _ in rows).encode()), strict=True):
        assert (read == upn) is valid, upn


def test_dates_of_exports_are_read(probe):
    assert probe("date", b"16/04/2022\n2022-04-16\n16-Apr-2022\n\n31/02/2022\n") == [
        "2022-04-16", "2022-04-16", "2022-04-16", None,
        {"fault": "It must be a real date, such as 27 3 2018"}]
