# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of real lists: tests/shared.manifest compiled, and asked about its own names, about
names that only look like them, and about sites that no school would close (F18)."""
import re
import subprocess
from collections import defaultdict

import pytest

from conftest import ROOT

MANIFEST = ROOT / "tests" / "shared.manifest"
NAME = re.compile(r"(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)+$")
ADDRESS = re.compile(r"[0-9.]+$|.*\.(0x)?[0-9]+$")
HARMFUL = set("""sexual-exploitation extreme-pornography intimate-image-abuse coercive-control fraud
    criminal-hate incitement people-smuggling suicide-promotion drug-sales weapon-sales discrimination
    drugs alcohol-tobacco extremism gambling hate-speech malware phishing cryptojacking hacking vpn-proxy
    encrypted-dns remote-control dynamic-dns disinformation piracy pornography nudity lingerie dating
    self-harm eating-disorders violence weapons misogyny sealed""".split())


def rows():
    for line in MANIFEST.read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            yield words


def domains(text):
    for line in text.splitlines():
        yield re.split(r"\s#|^#", line)[0].strip()


def hosts(text):
    for line in text.splitlines():
        yield from line.split("#")[0].split()[1:]


def v2fly(folder, name):
    """The names of a list and of those that it includes without attributes."""
    todo, seen = [name], set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for line in (folder / name).read_text().splitlines():
            words = line.split("#")[0].split()
            if words and words[0].startswith("include:") and len(words) == 1:
                todo.append(words[0].split(":")[1])
            elif words and ":" not in words[0]:
                yield words[0]


def names_of(form, path):
    """The names of a list, read without Lodge; and the URLs."""
    if form == "ut1":
        found = []
        for file in sorted(path.iterdir()):
            if file.name == "domains" or file.name.startswith("domains.") or file.name == "ips":
                found += domains(file.read_text(errors="replace"))
        urls = path / "urls"
        return found, list(urls.read_text(errors="replace").splitlines()) if urls.exists() else []
    if form == "v2fly":
        return list(v2fly(path.parent, path.name)), []
    text = path.read_text(errors="replace")
    return list(domains(text) if form == "domains" else hosts(text)), []


def with_parents(name):
    labels = name.split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]


class Lists:
    def __init__(self, shared, lodge, folder):
        self.lists, self.of_category, self.excepted = [], defaultdict(set), defaultdict(set)
        for words in rows():
            if words[0] == "except":
                self.read_exceptions(words[1], MANIFEST.parent / words[2])
        for words in rows():
            if words[0] not in ("except", "unused") and words[1] != "cidr":
                self.read_list(words, shared / words[2].removeprefix("../../shared/"))
        text = MANIFEST.read_text().replace("../../shared/", f"{shared}/")
        manifest = folder / "shared.manifest"
        manifest.write_text(text.replace("shared.except/", f"{MANIFEST.parent}/shared.except/"))
        self.lodge, self.image = lodge, folder / "shared.image"
        self.built = subprocess.run([lodge, "catalog", "build", "--manifest", manifest, "-o",
                                     self.image], capture_output=True, text=True)

    def read_exceptions(self, category, path):
        for line in path.read_text().splitlines():
            name = line.split("#")[0].strip()
            if name:
                self.excepted[category] |= {name, "www." + name}

    def read_list(self, words, path):
        category, form = words[:2]
        names, urls = names_of(form, path)
        names = [name.lower().rstrip(".") for name in names]
        if form == "v2fly":
            self.of_category[category] |= {name for name in names if "." not in name}
        names = [name for name in names if NAME.match(name) and not ADDRESS.match(name)
                 and name not in self.excepted[category]]
        self.lists.append((category, path, names, urls))
        self.of_category[category] |= set(names)

    def look_up(self, urls):
        """{URL: set of categories}"""
        done = subprocess.run([self.lodge, "catalog", "lookup", self.image, "-"],
                              input="".join(url + "\n" for url in urls), capture_output=True,
                              text=True, check=True)
        answers = [line.rsplit("\t", 1) for line in done.stdout.splitlines()]
        assert [url for url, _ in answers] == list(urls)
        return {url: set(found.split(",")) for url, found in answers}


@pytest.fixture(scope="module")
def lists(shared, lodge, tmp_path_factory):
    return Lists(shared, lodge, tmp_path_factory.mktemp("lists"))


def test_the_manifest_compiles_and_leaves_no_list_unmentioned(lists):
    assert lists.built.returncode == 0, lists.built.stderr
    assert "no category uses it" not in lists.built.stderr
    assert "no list of this category holds" not in lists.built.stderr


def test_every_ut1_folder_and_every_list_by_service_is_mapped_or_says_why_not(shared):
    mentioned = {words[2] if words[0] != "unused" else words[1] for words in rows()
                 if words[0] != "except"}
    for words in rows():
        assert words[0] != "unused" or len(words) > 2, words
    for folder in ("ut1", "blocklistproject", "nextdns-services/services", "nextdns-bypass"):
        for path in (shared / "data" / "domains" / folder).iterdir():
            assert f"../../shared/data/domains/{folder}/{path.name}" in mentioned, path


def test_every_tenth_name_of_each_list_is_found_in_its_category(lists):
    answers = lists.look_up({f"http://{name}/" for _, _, names, _ in lists.lists
                             for name in names[::10]})
    missing = [(category, path.name, name) for category, path, names, _ in lists.lists
               for name in names[::10] if category not in answers[f"http://{name}/"]]
    assert missing == []
    assert len(answers) > 40000


def test_urls_are_found_in_their_category_and_their_host_alone_is_not(lists):
    """A URL that has no path beside its host names the host."""
    wrong, asked = [], 0
    for category, _, names, urls in lists.lists:
        urls = [url for url in urls[::10] if re.match(r"[a-z0-9.-]+/[a-z0-9/._-]*[a-z0-9]$", url)
                and url not in lists.excepted[category]]
        closed = lists.of_category[category]
        found = lists.look_up({"http://" + url for url in urls})
        wrong += [url for url in found if category not in found[url]]
        hosts_only = {f"http://{url.split('/')[0]}/" for url in urls
                      if not closed & set(with_parents(url.split("/")[0]))}
        below = {f"http://{other.rstrip('/')}/" for other in urls}
        found = lists.look_up(hosts_only - below)
        asked += len(found) + len(urls)
        wrong += [url for url in found if category in found[url]
                  and not ADDRESS.match(url[7:-1]) and not bare_host(lists, category, url)]
    assert wrong == []
    assert asked > 1000


def bare_host(lists, category, url):
    """True where some list of the category has the host itself as a URL."""
    hosts_above = set(with_parents(url[7:].rstrip("/")))
    return any(other.rstrip("/") in hosts_above for of, _, _, urls in lists.lists
               if of == category for other in urls)


def look_alikes(name):
    first, _, rest = name.partition(".")
    yield "x" + name
    yield f"{first}.xq.{rest}"


def test_look_alikes_of_every_tenth_name_are_not_in_its_category(lists):
    asked = defaultdict(set)
    for category, _, names, _ in lists.lists:
        closed = lists.of_category[category]
        for name in names[::10]:
            asked[category] |= {f"http://{like}/" for like in look_alikes(name)
                                if not closed & set(with_parents(like))}
    answers = lists.look_up(set().union(*asked.values()))
    wrong = [(category, url) for category, urls in asked.items() for url in urls
             if category in answers[url] and not bare_host(lists, category, url)]
    assert wrong == []
    assert len(answers) > 50000


def test_a_video_that_is_listed_does_not_close_all_videos(lists):
    listed = "https://www.youtube.com/watch?v=pnjfrcurr2u&ab_channel=roxanelrt"
    other = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    answers = lists.look_up([listed, other])
    assert "homework-cheating" in answers[listed]
    assert "homework-cheating" not in answers[other]


def test_a_messaging_service_is_messaging_whatever_other_list_holds_it(lists):
    urls = ["https://" + name for name in
            """whatsapp.com web.whatsapp.com signal.org telegram.org t.me messenger.com discord.com
            skype.com chat.google.com snapchat.com viber.com line.me slack.com""".split()]
    answers = lists.look_up(urls)
    assert [url for url in urls if "messaging" not in answers[url]] == []
    assert "social-networks" in answers["https://web.whatsapp.com"]


SITES = """google.com www.google.co.uk classroom.google.com docs.google.com drive.google.com
    sites.google.com accounts.google.com fonts.googleapis.com www.gstatic.com maps.google.com
    translate.google.com meet.google.com i.ytimg.com www.bbc.co.uk www.bbc.com cbbc.co.uk www.gov.uk
    www.nhs.uk en.wikipedia.org simple.wikipedia.org commons.wikimedia.org www.britannica.com
    kids.britannica.com www.natgeokids.com www.nationalgeographic.com www.nasa.gov www.khanacademy.org
    scratch.mit.edu code.org studio.code.org www.duolingo.com quizlet.com kahoot.it
    www.purplemash.com play.ttrockstars.com www.mathletics.com www.twinkl.co.uk www.tes.com
    www.oaknational.academy www.topmarks.co.uk www.phonicsplay.co.uk nrich.maths.org
    whiterosemaths.com www.mymaths.co.uk sparxmaths.com senecalearning.com www.sciencemuseum.org.uk
    www.britishmuseum.org www.tate.org.uk www.nationalarchives.gov.uk www.metoffice.gov.uk
    www.rspb.org.uk www.rspca.org.uk www.childline.org.uk www.nspcc.org.uk www.thinkuknow.co.uk
    www.ceop.police.uk www.internetmatters.org www.saferinternet.org.uk www.samaritans.org
    youngminds.org.uk www.talktofrank.com www.drinkaware.co.uk www.gamcare.org.uk
    educateagainsthate.com www.brook.org.uk revengepornhelpline.org.uk www.stopitnow.org.uk
    www.microsoft.com login.microsoftonline.com outlook.office.com teams.microsoft.com www.bing.com
    download.windowsupdate.com www.apple.com gateway.icloud.com get.adobe.com www.mozilla.org
    www.ubuntu.com www.python.org github.com stackoverflow.com www.w3schools.com www.raspberrypi.org
    cdnjs.cloudflare.com cdn.jsdelivr.net s3.amazonaws.com www.amazon.co.uk www.tesco.com
    www.theguardian.com www.thetimes.co.uk news.sky.com www.channel4.com www.nature.com
    www.newscientist.com arxiv.org www.openstreetmap.org www.desmos.com www.geogebra.org
    phet.colorado.edu www.ted.com www.canva.com padlet.com www.dropbox.com www.parentpay.com
    arbor-education.com www.classdojo.com wordpress.com archive.org www.gutenberg.org
    www.booktrust.org.uk www.english-heritage.org.uk www.nationalrail.co.uk www.premierleague.com
    www.lego.com www.paypal.com www.barclays.co.uk www.ucas.com www.ox.ac.uk www.open.ac.uk
    www.coursera.org www.eventbrite.co.uk eventbrite.com name.com tailscale.com www.meetup.com
    www.ofsted.gov.uk ico.org.uk www.justgiving.com www.unicef.org www.parliament.uk www.police.uk
    """.split()


def test_F18_sites_that_no_school_would_close_have_no_harmful_category(lists):
    assert len(SITES) > 100
    answers = lists.look_up([f"https://{name}/" for name in SITES])
    assert {url: found & HARMFUL for url, found in answers.items() if found & HARMFUL} == {}


def test_F18_the_compiler_warns_of_popular_names_that_a_list_closes(lists, shared, tmp_path):
    ranking = shared / "data/domains/misp-warninglists/lists/tranco10k/list.json"
    names = subprocess.run([ROOT / "tools" / "popular", ranking], capture_output=True, text=True,
                           check=True).stdout
    assert len(names.splitlines()) > 9000
    (tmp_path / "popular.txt").write_text(names)
    (tmp_path / "manifest").write_text(
        f"vpn-proxy ut1 {shared}/data/domains/ut1/redirector\n"
        f"unused {shared}/data/domains/ut1/* other tests use these\n")
    done = subprocess.run([lists.lodge, "catalog", "build", "--manifest", tmp_path / "manifest",
                           "--popular", tmp_path / "popular.txt", "-o", tmp_path / "image"],
                          capture_output=True, text=True)
    assert done.returncode == 0
    line = 1 + (shared / "data/domains/ut1/redirector/domains").read_text().splitlines().index(
        "name.com")
    assert re.search(f"redirector/domains:{line}: name.com gives the popular name name.com the "
                     "category vpn-proxy", done.stderr)
