# SPDX-License-Identifier: GPL-3.0-or-later
"""Both presets decide every row of their tables as the requirements say (R112, R147-R179).

The expectations are the pages in tests/presets, which a teacher can read: for each row, each group
and each time of those pages this asks `lodge check`. The catalogue is made here: one invented site
for each category of category.def.
"""
import copy
import hashlib
import json
import re
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCHOOLS = ("trust-primary", "church-primary")
COLUMNS = {"KS1": ["pupils-ks1"], "KS2": ["pupils-ks2"], "Pupils": ["pupils-ks1", "pupils-ks2"],
           "Teachers": ["teaching-staff"], "Support staff": ["support-staff"],
           "Governors": ["governors"], "Visitors": ["visitors"]}
GROUPS = ["pupils-ks1", "pupils-ks2", "teaching-staff", "support-staff", "governors", "visitors"]
LESSON, LUNCH, EVENING = "2026-11-23T10:15", "2026-11-23T12:30", "2026-11-23T19:00"


def policy_file(school):
    return ROOT / "presets" / f"{school}.json"


def policy(school):
    return json.loads(policy_file(school).read_text())


def known_categories():
    """Name to tier, as category.def has them."""
    text = (ROOT / "src/catalog/category.def").read_text()
    found = re.findall(r'CATEGORY\(\w+,\s*\d+,\s*"([a-z0-9-]+)",\s*TIER_(\w+),', text)
    assert len(found) > 40
    return {name: tier.lower() for name, tier in found}


def site(category):
    return f"http://www.{category}.example/bad/page"


def write_manifest(folder):
    """One site a category; the sealed ones as hashes of a host and a URL (I1, I2)."""
    lines = []
    for category, tier in known_categories().items():
        host = f"www.{category}.example"
        if tier == "sealed":
            hashes = [hashlib.sha256(text.encode()).hexdigest() for text in (host, f"{host}/bad")]
            (folder / category).write_text("\t".join(hashes) + "\n")
            lines.append(f"{category} hashed {category} sealed")
        else:
            (folder / category).write_text(f"{category}.example\n")
            lines.append(f"{category} domains {category}")
    (folder / "manifest").write_text("\n".join(lines) + "\n")
    return folder / "manifest"


class Gate:
    """`lodge check` over one catalogue."""

    def __init__(self, lodge, folder):
        self.lodge, self.data, self.image = lodge, folder / "data", folder / "catalog.image"
        done = self.run("catalog", "build", "--manifest", write_manifest(folder), "-o", self.image)
        assert done.returncode == 0, done.stderr

    def run(self, *words, text=""):
        return subprocess.run([self.lodge, *words, "--data", self.data], input=text,
                              capture_output=True, text=True)

    def check(self, document, subject, at, urls, state=None):
        known = ["--state", state] if state else []
        done = self.run("check", "--policy", document, "--catalog", self.image, *known, *subject,
                        "--at", at, "-", text="\n".join(urls) + "\n")
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(urls)
        return answers


@pytest.fixture(scope="module")
def gate(lodge, tmp_path_factory):
    return Gate(lodge, tmp_path_factory.mktemp("presets"))


# The pages.

def page_tables(school):
    """The tables of a page: heading to a list of rows, each a dict by column."""
    tables, rows, heading = {}, [], None
    for line in (ROOT / "tests/presets" / f"{school}.md").read_text().splitlines():
        if line.startswith("## "):
            heading, names, rows = line[3:], None, []
            tables[heading] = rows
        elif line.startswith("|") and not line.startswith("|---"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if names is None:
                names = cells
            else:
                assert len(cells) == len(names), line
                rows.append(dict(zip(names, cells)))
    return tables


def page(school, heading):
    rows = page_tables(school)[heading]
    assert rows
    return rows


WORDS = {"yes": "acceptable", "no": "unacceptable", "never": "illegal",
         "out of hours": "certain-times", "no times yet": "certain-times",
         "nobody yet": "nominated"}


def is_open(word, hours):
    return word == "yes" or (word == "out of hours" and hours == "outside")


def cells(row):
    """(group, word) of a row; every group exactly once, in the order of GROUPS."""
    pairs = [(group, row[column]) for column in row for group in COLUMNS.get(column, [])]
    assert [group for group, _ in pairs] == GROUPS
    return pairs


def named_categories(school):
    return {name.strip() for row in page(school, "What the filter decides")
            for name in row["Sites of"].split(",")}


def expected(school):
    """{(group, category): word} for every category that Lodge knows."""
    words = {}
    for row in page(school, "What the filter decides"):
        for category in row["Sites of"].split(","):
            for group, word in cells(row):
                assert words.setdefault((group, category.strip()), word) == word
    named = named_categories(school)
    for row in page(school, "What the table does not name"):
        tier = next((tier for tier in ("harmful", "ordinary", "learning", "infrastructure")
                     if tier in row["Sites of"]), None)
        for category in [name for name, its in known_categories().items()
                         if its == tier and name not in named]:
            words.update({(group, category): word for group, word in cells(row)})
    return words


@pytest.mark.parametrize("school", SCHOOLS)
def test_the_page_speaks_of_every_category_and_every_group(school):
    assert set(expected(school)) == {(group, category) for group in GROUPS
                                     for category in known_categories()}


@pytest.mark.parametrize("school", SCHOOLS)
@pytest.mark.parametrize("group", GROUPS)
def test_R162_R147_every_cell_is_decided_as_the_page_says_in_and_out_of_hours(gate, school, group):
    words = {category: word for (its, category), word in expected(school).items() if its == group}
    urls = [site(category) for category in words]
    wrong = []
    for moment in page(school, "The times"):
        answers = gate.check(policy_file(school), ["--group", group], moment["Local time"], urls)
        for (category, word), answer in zip(words.items(), answers):
            action = "allow" if is_open(word, moment["Contracted hours"]) else "block"
            if (answer["action"], answer["level"]) != (action, WORDS[word]):
                wrong.append((category, moment["When"], word, answer))
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("school", SCHOOLS)
def test_what_no_list_knows_is_open_to_every_group(gate, school):
    (row,) = [row for row in page(school, "What the table does not name")
              if row["Sites of"] == "no category"]
    for group, word in cells(row):
        (answer,) = gate.check(policy_file(school), ["--group", group], LESSON,
                               ["http://nobody-lists-this.example/"])
        assert word == "yes" and answer["action"] == "allow"
        assert answer["reason"] == "uncategorised"


def test_R112_the_answer_names_the_row_that_decided_and_the_one_it_overruled(gate):
    (answer,) = gate.check(policy_file("trust-primary"), ["--group", "teaching-staff"], LESSON,
                           [site("social-networks")])
    assert "social-media" in answer["rule"]
    assert "social-networking" in json.dumps(answer["overruled"])


# The documents: every row, those that no filter enforces too.

@pytest.mark.parametrize("school", SCHOOLS)
def test_R162_every_row_of_the_tables_is_in_the_preset_and_none_besides(school):
    sources = {row["source"] for row in policy(school)["table"]}
    on_page = {row["Row"] for heading in ("What the filter decides", "What no filter can enforce")
               for row in page(school, heading)}
    assert sources == on_page
    ours = [row for row in policy(school)["table"] if row["section"] == "lodge"]
    suggested = {"trust-primary": ["R129", "D3"], "church-primary": ["D3"]}
    assert [row["source"] for row in ours] == suggested[school]
    assert all("Lodge's suggestion" in row["note"] for row in ours)


def cell_of(document, row, group):
    """The cell of the group itself, or of the nearest group that it is in."""
    groups = {group["id"]: group for group in document["groups"]}
    while group is not None and group not in row["cells"]:
        group = groups[group].get("in")
    return row["cells"].get(group)


@pytest.mark.parametrize("school", SCHOOLS)
def test_R162_rows_that_no_filter_can_enforce_say_so_and_hold_what_the_page_says(school):
    document = policy(school)
    rows = [row for row in document["table"] if not row["enforced"]]
    assert all(not row["categories"] for row in rows)
    assert all("No filter can enforce this" in row["note"] for row in rows)
    held = [(row["source"], {group: (cell_of(document, row, group) or {}).get("level")
                             for group in GROUPS}) for row in rows]
    wanted = [(line["Row"], {group: WORDS.get(word) for group, word in cells(line)})
              for line in page(school, "What no filter can enforce")]
    assert sorted(held, key=str) == sorted(wanted, key=str)


@pytest.mark.parametrize("school", SCHOOLS)
def test_R162_rows_whose_label_spans_two_columns_say_how_their_mark_is_read(school):
    sources = {f"R{number}" for number in range(171, 180)}
    rows = [row for row in policy(school)["table"] if row["source"] in sources]
    assert rows and all("spans two columns" in row["note"] for row in rows)


@pytest.mark.parametrize("school", SCHOOLS)
def test_R163_R167_illegal_rows_name_their_law_and_hold_for_everyone(school):
    rows = [row for row in policy(school)["table"] if row["section"] == "illegal"]
    assert rows and all(re.search(r"Act \d{4}", row["law"]) for row in rows)
    assert all(row["cells"] == {"everyone": {"level": "illegal"}} for row in rows)


@pytest.mark.parametrize("school", SCHOOLS)
def test_R174_R178_lists_of_nominated_users_start_empty(school):
    assert all(not entry["people"] and not entry["groups"] for entry in policy(school)["nominated"])


@pytest.mark.parametrize("school", SCHOOLS)
def test_R1_the_calendar_holds_two_school_years_and_the_zone_four_years(school):
    document = policy(school)
    terms = [(term["from"], term["to"]) for term in document["calendar"]["terms"]]
    assert terms == sorted(terms) and len(terms) == 12
    assert terms[0][0].startswith("2026-09") and terms[-1][1].startswith("2028-07")
    for entry in document["calendar"]["closed"]:
        day = date.fromisoformat(entry["from"])
        assert entry["from"] == entry["to"] and day.weekday() < 5
        assert any(first <= entry["from"] <= last for first, last in terms), entry
    # 1:00 UTC on the last Sunday of March and of October, from 2026 to 2029.
    ends = [date(year, month, 31) for year in range(2026, 2030) for month in (3, 10)]
    sundays = [end - timedelta((end.weekday() + 1) % 7) for end in ends]
    assert document["zone"]["changes"] == [
        {"from": f"{day}T01:00Z", "offset": 60 if day.month == 3 else 0} for day in sundays]


@pytest.mark.parametrize("school", SCHOOLS)
def test_F20_only_TLS_with_a_name_on_443_is_tunnelled_for_pupils_and_visitors(school):
    document = policy(school)
    assert document["connect_ports"] == [443]
    for group in document["groups"]:
        if group["id"] in ("pupils-ks1", "pupils-ks2", "visitors"):
            assert set(group["tunnels"].values()) == {"refuse"}, group["id"]


# People, agreements, lifelines.

@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A pupil who has signed, one who has not, a visitor who need not."""
    signed = {"signed": True, "current": True, "parent": True, "until": "2028-09-01T00:00Z"}
    none = dict(signed, signed=False, parent=False)
    document = {"lodge_state": 1, "people": [
        {"id": "signed", "group": "pupils-ks2", "agreement": signed},
        {"id": "parent-missing", "group": "pupils-ks2", "agreement": dict(signed, parent=False)},
        {"id": "unsigned", "group": "pupils-ks2", "agreement": none},
        {"id": "unsigned-teacher", "group": "teaching-staff", "agreement": none},
        {"id": "guest", "group": "visitors", "agreement": none}]}
    folder = tmp_path_factory.mktemp("people")
    (folder / "state.json").write_text(json.dumps(document))
    return folder / "state.json"


@pytest.fixture(scope="module")
def state(gate, people):
    image = people.parent / "state.image"
    done = gate.run("state", "build", people, "-o", image)
    assert done.returncode == 0, done.stderr
    return image


HELP = ["https://www.childline.org.uk/", "https://www.ceop.police.uk/Safety-Centre/",
        "https://www.nspcc.org.uk/", "https://www.samaritans.org/", "https://www.papyrus-uk.org/",
        "https://giveusashout.org/", "https://www.beateatingdisorders.org.uk/",
        "https://www.womensaid.org.uk/", "https://www.iwf.org.uk/"]
LEARN = ["https://www.bbc.co.uk/bitesize/levels/z3g4d2p", "https://www.thenational.academy/pupils"]


@pytest.mark.parametrize("school", SCHOOLS)
@pytest.mark.parametrize("person",
                         ["signed", "parent-missing", "unsigned", "unsigned-teacher", "guest"])
def test_U7_help_lines_are_open_to_everyone_signed_or_not(gate, state, school, person):
    for answer in gate.check(policy_file(school), ["--person", person], LESSON, HELP, state):
        assert (answer["action"], answer["reason"]) == ("allow", "lifeline"), answer


@pytest.mark.parametrize("school", SCHOOLS)
@pytest.mark.parametrize("person", ["parent-missing", "unsigned", "unsigned-teacher"])
def test_R92_U7_unsigned_means_the_learning_list_and_no_more(gate, state, school, person):
    subject = ["--person", person]
    for answer in gate.check(policy_file(school), subject, LESSON, LEARN, state):
        assert answer["action"] == "allow", answer
    for answer in gate.check(policy_file(school), subject, LESSON,
                             [site("news"), "http://nobody-lists-this.example/"], state):
        assert answer["action"] == "limited", answer


@pytest.mark.parametrize("school", SCHOOLS)
@pytest.mark.parametrize("person", ["signed", "guest"])
def test_R92_who_has_signed_or_need_not_is_not_limited(gate, state, school, person):
    (answer,) = gate.check(policy_file(school), ["--person", person], LESSON, [site("news")], state)
    assert answer["action"] == "allow"


# What a school does next: name people, set times.

def changed(tmp_path, school, change):
    document = copy.deepcopy(policy(school))
    change(document)
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(document))
    return path


def table_row(document, row_id):
    (row,) = [row for row in document["table"] if row["id"] == row_id]
    return row


@pytest.mark.parametrize("list_id, category", [("games", "games"), ("file-sharing", "file-sharing"),
                                               ("social-media", "social-networks"),
                                               ("messaging", "messaging")])
def test_R174_R178_a_named_person_and_nobody_else_is_let_through(gate, state, tmp_path, list_id,
                                                                 category):
    def name(document):
        (entry,) = [entry for entry in document["nominated"] if entry["id"] == list_id]
        entry["people"] = ["signed"]
    path = changed(tmp_path, "church-primary", name)
    (answer,) = gate.check(path, ["--person", "signed"], LESSON, [site(category)], state)
    assert (answer["action"], answer["level"]) == ("allow", "nominated")
    (answer,) = gate.check(path, ["--person", "guest"], LESSON, [site(category)], state)
    assert (answer["action"], answer["level"]) == ("block", "nominated")


@pytest.mark.parametrize("school, row, group, category", [
    ("church-primary", "video-sites", "everyone", "video"),
    ("church-primary", "educational-games", "everyone", "educational-games"),
    ("trust-primary", "social-networking", "pupils", "social-networks"),
    ("trust-primary", "blogs", "pupils", "blogs")])
def test_R155_R173_R179_times_that_the_school_sets_open_the_row_then(gate, tmp_path, school, row,
                                                                    group, category):
    def set_lunch(document):
        table_row(document, row)["cells"][group]["times"] = ["lunch"]
    path = changed(tmp_path, school, set_lunch)
    opened = {at: gate.check(path, ["--group", "pupils-ks2"], at, [site(category)])[0]["action"]
              for at in (LESSON, LUNCH, EVENING)}
    assert opened == {LESSON: "block", LUNCH: "allow", EVENING: "block"}


# The checker (T6).

def findings(gate, path):
    done = gate.run("policy", "check", path)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.strip()]


@pytest.mark.parametrize("school", SCHOOLS)
def test_T6_the_checker_has_findings_for_each_preset_and_refuses_neither(gate, school):
    assert findings(gate, policy_file(school))
    assert gate.run("policy", "check", policy_file(school), "--strict").returncode == 1


def finds(lines, *words):
    return any(all(word in line for word in words) for line in lines)


def test_T6_the_checker_finds_R155_with_R177_at_school_A(gate):
    lines = findings(gate, policy_file("trust-primary"))
    assert finds(lines, "R155", "R177")


@pytest.mark.parametrize("school, row", [("trust-primary", "social-networking"),
                                         ("trust-primary", "blogs"),
                                         ("church-primary", "educational-games"),
                                         ("church-primary", "video-sites")])
def test_T6_the_checker_finds_certain_times_without_times(gate, school, row):
    lines = findings(gate, policy_file(school))
    assert finds(lines, row, "time")


def test_T6_the_checker_finds_terrorism_called_unacceptable_only_at_school_B(gate):
    assert finds(findings(gate, policy_file("church-primary")), "extremism", "R170", "sealed")


@pytest.mark.parametrize("name", ["games", "file-sharing", "social-media", "messaging"])
def test_T6_the_checker_finds_empty_lists_of_nominated_users_at_school_B(gate, name):
    lines = findings(gate, policy_file("church-primary"))
    assert finds(lines, name, "nominated")


def test_T6_the_checker_finds_nothing_where_the_school_has_filled_the_gaps(gate, tmp_path):
    def fill(document):
        for row in document["table"]:
            for cell in row["cells"].values():
                if cell["level"] == "certain-times":
                    cell["times"] = cell["times"] or ["lunch"]
        for entry in document["nominated"]:
            entry["people"] = ["signed"]
    lines = findings(gate, changed(tmp_path, "church-primary", fill))
    assert not finds(lines, "nominated") and not finds(lines, "without times")
