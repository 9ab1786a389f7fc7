// SPDX-License-Identifier: GPL-3.0-or-later
// Walks through the console in Debian's Chromium, in each role, at a phone's and a desk's size: what is
// found wrong is printed as JSON, one finding a line. No page may have a script, so all that works here
// works without.
//
//     node console.js URL FOLDER-FOR-SCREENSHOTS PASSWORD MODULES [ROLE...]
//
// Driven by tests/test_console_walks.py on the school of tests/lib/school.py.
"use strict";
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const [url, shots, password, modules, ...only] = process.argv.slice(2);
const { chromium } = require(path.join(modules, "playwright-core"));
const axe = fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf8");

const DESK = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const NARROW = { width: 320, height: 640 };
const ROLES = {
    hanna: "head", dina: "dsl", rhys: "deputy_dsl", ted: "technician", lena: "lead", sol: "senior",
    tess: "teacher", asha: "assistant", olive: "office", gus: "governor", sid: "safety_governor",
    cora: "chair", tara: "trust", ada: "pupil", pam: "parent",
};
const findings = [];

function find(role, where, what) {
    findings.push(`${role} ${where}: ${what}`);
    console.log(JSON.stringify({ role, where, what }));
}

// RFC 6238 with the values that authenticator apps expect.
function totp(secret) {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const bits = [...secret.replace(/[^A-Z2-7]/gi, "").toUpperCase()]
        .map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
    const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
    const mac = crypto.createHmac("sha1", key).update(counter).digest();
    const at = mac[19] & 15;
    return String((mac.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

class Walk {
    constructor(page, role) {
        this.page = page;
        this.role = role;
        this.seen = new Set();
    }

    async go(address) {
        const answer = await this.page.goto(url + address);
        return answer.status();
    }

    shot(name) {
        const file = path.join(shots, `${this.role}-${name}.png`);
        return this.page.screenshot({ path: file, fullPage: true });
    }

    async scrolls(where) {
        const over = await this.page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (over > 0) {
            find(this.role, where, `scrolls sideways by ${over} pixels`);
        }
    }

    // The page as it stands: accessible, at all sizes without a sideways scroll, and photographed.
    async look(name) {
        const scripts = await this.page.evaluate(
            () => [...document.scripts].map((script) => script.getAttribute("src") || "inline"));
        // Passkeys alone need one, and are offered only beside other factors.
        if (scripts.some((script) => !/^\/assets\/[0-9a-f]{16}\/passkey\.js$/.test(script))) {
            find(this.role, name, `has a script: ${scripts}`);
        }
        await this.page.evaluate(axe);
        const result = await this.page.evaluate(() => axe.run(document, {
            runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        }));
        for (const one of result.violations) {
            find(this.role, name, `axe ${one.id}: ${one.help} ${one.nodes[0].html.slice(0, 160)}`);
        }
        await this.scrolls(`${name} at ${DESK.width}`);
        await this.shot(`${name}-desk`);
        for (const size of [PHONE, NARROW]) {
            await this.page.setViewportSize(size);
            await this.scrolls(`${name} at ${size.width}`);
            if (size === PHONE) {
                await this.shot(`${name}-phone`);
            }
        }
        await this.page.setViewportSize(DESK);
    }

    async visit(address, name, wanted = 200) {
        const status = await this.go(address);
        if (status !== wanted) {
            find(this.role, address, `status ${status}, not ${wanted}`);
            return false;
        }
        await this.look(name);
        return true;
    }

    async says(text, where) {
        const body = await this.page.textContent("main");
        if (!body.includes(text)) {
            find(this.role, where, `does not say "${text}"`);
        }
    }

    async fill(fields) {
        for (const [name, text] of Object.entries(fields)) {
            await this.page.fill(`[name="${name}"]`, text);
        }
    }

    // Whatever leads to a page: it is there when this is done.
    load(act) {
        return Promise.all([this.page.waitForEvent("load"), act]);
    }

    press(text) {
        return this.load(this.page.click(`main >> text="${text}"`));
    }
}

// By keyboard alone: Tab to the field, type, Enter.
async function signIn(walk, logOn) {
    const { page } = walk;
    await walk.go("/sign-in");
    await walk.look("sign-in");
    await page.keyboard.press("Tab");
    const first = await page.evaluate(() => document.activeElement.className);
    if (!first.includes("govuk-skip-link")) {
        find(walk.role, "sign-in", "the first Tab does not reach the skip link");
    }
    await page.focus("#account");
    await page.keyboard.type(logOn);
    await page.keyboard.press("Tab");
    await page.keyboard.type(password);
    await walk.load(page.keyboard.press("Enter"));
    if (page.url().includes("/set-up")) {
        await walk.look("factor-set-up");
        const secret = await page.textContent("code.lodge-code");
        await page.fill("#code", totp(secret));
        await walk.load(page.keyboard.press("Enter"));
    }
    if (new URL(page.url()).pathname !== "/") {
        find(walk.role, "sign-in", `ended at ${page.url()}`);
        return false;
    }
    return true;
}

// Every page that the menu, the start page and the lists lead to.
async function tour(walk) {
    const { page } = walk;
    await walk.look("start");
    await page.emulateMedia({ media: "print" });
    if (await page.isVisible(".govuk-service-navigation")) {
        find(walk.role, "start", "the menu is printed");
    }
    await walk.shot("start-print");
    await page.emulateMedia({ media: "screen" });
    const menu = await page.$$eval(".govuk-service-navigation__link",
        (links) => links.map((link) => link.getAttribute("href")));
    for (const address of [...menu.filter((one) => one !== "/"), "/account"]) {
        await walk.visit(address, address.slice(1).replace(/\W+/g, "-"));
    }
    if (!menu.includes("/records")) {
        return;
    }
    await walk.go("/records");
    const lists = await page.$$eval(".lodge-card__title a",
        (links) => links.map((link) => link.getAttribute("href")));
    for (const address of lists) {
        const name = address.split("/").pop();
        if (!await walk.visit(address, name)) {
            continue;
        }
        const addresses = await page.$$eval("main a", (links) => links.map(
            (link) => link.getAttribute("href")));
        const one = addresses.find((href) => /^\/records\/[a-z-]+\/[a-z2-7]{26}$/.test(href));
        for (const more of ["/new", "/import"]) {
            if (addresses.includes(address + more)) {
                await walk.visit(address + more, name + more.replace("/", "-"));
            }
        }
        if (one && await walk.visit(one, `${name}-one`)) {
            await walk.visit(`${one}/history`, `${name}-history`);
        }
    }
    await walk.visit("/no-such-page", "not-found", 404);
}

// A school's export as it is: its columns are known, what they do not say is asked for, a row that is not
// right is left out, and what was shown is taken.
async function importTable(walk) {
    const { page } = walk;
    const rows = ["Adno,UPN,Surname,Forename,DOB,Year,Reg", "1,Z820200000001,Wood,Liz,16/04/2022,Year R,RA",
                  "2,Z820200000002,Wood,Eva,02/08/2021,Y1,1B"];
    await walk.go("/records/people/import");
    await page.setInputFiles("#file", { name: "pupils.csv", mimeType: "text/csv",
                                        buffer: Buffer.from(rows.join("\r\n")) });
    await walk.press("Continue");
    await walk.look("import-columns");
    await page.selectOption("#all-kind", "pupil");
    await walk.load(page.click("main button:has-text('Continue') >> nth=0"));
    await walk.says("Some rows are not right", "a table with a fault");
    await walk.look("import-faults");
    await page.check("#skip");
    await walk.press("Check again");
    await walk.says("1 would be added", "a table without its faults");
    await walk.look("import-tried");
    await walk.press("Import 1 row");
    await walk.says("Imported: 1 added", "a table that was taken");
    await walk.look("import-taken");
}

// A record made (with a fault first), found, changed, undone, exported.
async function officeWork(walk) {
    const { page } = walk;
    await walk.go("/records/people/new");
    await walk.fill({ name: "", given: "Nia", "born-day": "31", "born-month": "2", "born-year": "2019" });
    await page.check("input[name=kind][value=pupil]");
    await walk.press("Save");
    await walk.says("There is a problem", "a person without a name");
    await walk.look("new-person-faults");
    if (await page.inputValue("[name=given]") !== "Nia") {
        find(walk.role, "new person", "what was typed is lost");
    }
    await walk.fill({ name: "Nia Roberts", "born-day": "28" });
    await walk.press("Save");
    await walk.says("Saved.", "a new person");
    await walk.look("new-person-saved");
    await walk.go("/search?words=roberts");
    await walk.says("Nia Roberts", "the search");
    await walk.look("search-found");
    await walk.press("Nia Roberts");
    await walk.press("Change");
    await walk.look("person-change");
    await walk.fill({ name: "Nia Robertson", reason: "typed wrong" });
    await walk.press("Save");
    await walk.says("Nia Robertson", "a changed person");
    await walk.look("person-changed");
    await walk.press("Undo");
    await walk.says("The last change is taken back.", "an undone change");
    if ((await page.textContent("h1")).trim() !== "Nia Roberts") {
        find(walk.role, "undo", "the name is not the old one");
    }
    await importTable(walk);
    await walk.go("/records/people?search=roberts&sort=name");
    await walk.look("people-sorted");
    const [download] = await Promise.all([
        page.waitForEvent("download"), page.click("main >> text=\"Export (CSV)\"")]);
    const csv = fs.readFileSync(await download.path(), "utf8");
    if (!csv.includes("Nia Roberts") || csv.includes("Tess Teacher")) {
        find(walk.role, "export", "the CSV is not what the list shows");
    }
}

// A concern by name, the look, the move.
async function safeguarding(walk) {
    const { page } = walk;
    await walk.go("/");
    await walk.press("Report a concern about a child");
    await walk.fill({ "child-find": "sam hill", summary: "Sleeps in lessons", facts: "Since Monday.",
                      "happened-day": "4", "happened-month": "5", "happened-year": "2026" });
    await page.check("input[name=kind][value=health]");
    await walk.press("Save");
    await walk.says("Several have this name", "two of one name");
    await walk.look("concern-choose");
    await page.check("input[name=child] >> nth=1");
    await walk.press("Save");
    await walk.says("Sleeps in lessons", "a new concern");
    await walk.look("concern-closed");
    await walk.press("say why you are looking");
    await walk.look("look");
    await walk.press("Open");
    await walk.says("Choose a reason, or type one", "a look without a reason");
    await walk.look("look-fault");
    await page.check("input[name=reason][value=concern]");
    await walk.press("Open");
    await walk.says("Since Monday.", "an opened concern");
    await walk.look("concern-open");
    await walk.press("Close");
    await walk.look("concern-move");
    await walk.load(page.click("main button:has-text('Close')"));
    await walk.says("There is a problem", "a move without what it demands");
    await walk.look("concern-move-faults");
    await walk.fill({ outcome: "Spoke with the mother. A new baby.", reason: "Explained" });
    await walk.load(page.click("main button:has-text('Close')"));
    await walk.says("Closed", "a closed concern");
    await walk.look("concern-moved");
    await walk.press("Add a file");
    await walk.look("file-asked");
    await page.check("input[name=k9][value=not_sure]");
    await walk.press("Go on");
    await walk.says("Do not upload it", "K9");
    await walk.look("file-k9");
}

const WORK = { office: officeWork, dsl: safeguarding };

async function main() {
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
                                            args: ["--no-sandbox", "--disable-gpu"] });
    const wanted = Object.entries(ROLES).filter(([, role]) => !only.length || only.includes(role));
    for (const [logOn, role] of wanted) {
        const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: DESK,
                                                   locale: "en-GB" });
        const walk = new Walk(await context.newPage(), role);
        walk.page.setDefaultTimeout(20000);
        try {
            if (await signIn(walk, logOn)) {
                await tour(walk);
                if (WORK[role]) {
                    await WORK[role](walk);
                }
            }
        } catch (error) {
            find(role, walk.page.url(), String(error).slice(0, 400));
        }
        await context.close();
    }
    await browser.close();
    process.exit(findings.length ? 1 : 0);
}

main();
