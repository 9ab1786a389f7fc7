// SPDX-License-Identifier: GPL-3.0-or-later
// The first run in Debian's Chromium, at a phone's and a desk's size: what is found wrong is printed as
// JSON, one finding a line.
//
//     node first_run.js URL FOLDER-FOR-SCREENSHOTS CODE MODULES
"use strict";
const fs = require("fs");
const path = require("path");
const [url, shots, code, modules] = process.argv.slice(2);
const { chromium } = require(path.join(modules, "playwright-core"));
const axe = fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf8");

const SIZES = [{ width: 390, height: 844 }, { width: 320, height: 640 }, { width: 1280, height: 900 }];
const FIELDS = {
    code, school_name: "Elm Primary", urn: "123456", head_name: "Hanna Head", head_log_on: "h.head",
    password: "kettle otter lamp", again: "kettle otter lamp", tech_name: "Ted Tech",
    tech_log_on: "t.tech",
};

async function look(page, name) {
    const found = await page.evaluate(async () => (await window.axe.run()).violations
        .map((one) => `${one.id}: ${one.nodes[0].html}`));
    for (const size of SIZES) {
        await page.setViewportSize(size);
        await page.screenshot({ path: path.join(shots, `first-run-${name}-${size.width}.png`),
            fullPage: true });
        if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)) {
            found.push(`scrolls sideways at ${size.width}`);
        }
    }
    found.forEach((what) => console.log(JSON.stringify({ where: name, what })));
}

async function fill(page) {
    for (const [field, value] of Object.entries(FIELDS)) {
        await page.fill(`#${field}`, value);
    }
}

async function main() {
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
        args: ["--no-sandbox"] });
    const context = await browser.newContext({ ignoreHTTPSErrors: true, bypassCSP: true });
    await context.addInitScript(axe);
    const page = await context.newPage();
    await page.goto(`${url}/`);
    await look(page, "form");
    await fill(page);
    await page.click("text=Set up the school");
    await page.waitForSelector(".govuk-error-summary");
    await look(page, "faults");
    await fill(page);
    await page.check("input[name=kind][value=primary]");
    await page.check("input[name=preset][value=church-primary]");
    await page.click("text=Set up the school");
    await page.waitForSelector(".lodge-card");
    await look(page, "card");
    await page.click("text=Continue");
    await page.waitForSelector("text=An app on your phone");
    await look(page, "second-factor");
    await browser.close();
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
