// SPDX-License-Identifier: GPL-3.0-or-later
// Signing in at the gate in Debian's Chromium, through the real proxy by the gate's own PAC file; what is
// found wrong is printed as JSON, one finding a line. The browser trusts what a set-up device trusts, and
// keeps the console's policy (CSP): what a form may lead to is part of what is walked.
//
//     node gate.js CONSOLE PAC PAGE HTTPS-PAGE PASSWORD FOLDER-FOR-SCREENSHOTS MODULES
"use strict";
const fs = require("fs");
const path = require("path");
const [consoleUrl, pac, page_, securePage, password, shots, modules] = process.argv.slice(2);
const { chromium } = require(path.join(modules, "playwright-core"));
const axe = fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf8");
const SIZES = [{ width: 390, height: 844 }, { width: 320, height: 640 }, { width: 1280, height: 900 }];
const FORM = "text=Sign in to use the internet";

function tell(where, what) {
    console.log(JSON.stringify({ where, what }));
}

function expect(where, truth, what) {
    if (!truth) {
        tell(where, what);
    }
}

async function look(page, name) {
    const found = await page.evaluate(async () => (await window.axe.run()).violations
        .map((one) => `${one.id}: ${one.nodes[0].html}`));
    for (const size of SIZES) {
        await page.setViewportSize(size);
        await page.screenshot({ path: path.join(shots, `gate-${name}-${size.width}.png`), fullPage: true });
        if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)) {
            found.push(`scrolls sideways at ${size.width}`);
        }
    }
    found.forEach((what) => tell(name, what));
}

async function fresh(browser) {
    const context = await browser.newContext();
    await context.addInitScript(axe);
    return context.newPage();
}

async function signOut(page) {
    await page.goto(`${consoleUrl}/gate/signed-in`);
    await page.click("text=Sign out on this device");
    await page.waitForSelector("text=Nobody is signed in on this device any more.");
}

// Asked again and again, until the gate has heard of it: whether the page is closed to nobody again.
async function closed(page) {
    for (let i = 0; i < 200; i++) {
        await page.goto(page_);
        if (page.url() !== page_) {
            return;
        }
    }
    tell("sign out", "the page stays open");
}

async function byPassword(browser) {
    const page = await fresh(browser);
    await page.goto(page_);
    await page.waitForSelector(FORM);
    await look(page, "form");
    await page.click("text=Go on without signing in");
    await page.waitForSelector("text=closed in school");
    await look(page, "without");
    await page.goto(`${consoleUrl}/gate/sign-in?to=`);
    await page.context().clearCookies();
    await page.goto(page_);
    await page.fill("#account", "ada");
    await page.fill("#password", "not the password");
    await page.click("text=Sign in on this device");
    await page.waitForSelector(".govuk-error-summary");
    await look(page, "faults");
    await page.fill("#account", "ada");
    await page.fill("#password", password);
    await page.click("text=Sign in on this device");
    await page.waitForURL(page_);
    expect("password", (await page.textContent("h1")) === "Volcanoes", "not the page that was wanted");
    await page.goto(`${consoleUrl}/gate/signed-in`);
    await look(page, "signed-in");
    await page.goto(`${consoleUrl}/account`);
    expect("password", page.url().includes("/sign-in?"), "a session of the console was opened");
    await signOut(page);
    await look(page, "signed-out");
    await closed(page);
}

async function withoutAWord(browser) {
    const page = await fresh(browser);
    // The user of a managed device is signed in at the provider: here by its page, once.
    await page.goto(`${consoleUrl}/gate/sign-in/with/school`);
    await page.fill("input[name=login]", "tess");
    await page.click("text=Go on");
    await page.waitForSelector("text=You are signed in");
    await signOut(page);
    const kept = (await page.context().cookies()).filter((cookie) => cookie.domain === "localhost");
    await page.context().clearCookies();
    await page.context().addCookies(kept);
    await page.goto("about:blank");
    for (const wanted of [securePage, page_]) {
        await page.goto(wanted);
        await page.waitForURL(wanted);
        expect("silent", (await page.textContent("h1")) === "Volcanoes", `not ${wanted}`);
    }
}

async function bySession(browser) {
    const page = await fresh(browser);
    await page.goto(`${consoleUrl}/sign-in`);
    await page.fill("#account", "olive");
    await page.fill("#password", password);
    await page.click("main button[type=submit]");
    await page.waitForSelector("text=Hello, Olive Office");
    await signOut(page);
    await look(page, "session");
    await page.click("text=Use the internet here as Olive Office");
    await page.waitForSelector("text=You are signed in");
    for (const [name, address] of [["start", "/"], ["account", "/account"]]) {
        await page.goto(consoleUrl + address);
        await page.waitForSelector("text=You use the internet on");
        await look(page, name);
    }
    await page.click("text=Sign out there");
    await page.waitForSelector("text=Signed out of the internet there.");
}

async function ofTheGate(browser) {
    const page = await fresh(browser);
    await page.goto("http://lodge.internal/");
    await look(page, "home");
    await page.click("text=Sign in to use the internet");
    await page.waitForURL(`${consoleUrl}/gate/sign-in`);
    await closed(page);
    await page.goto(`http://lodge.internal/signed-in?n=15&to=${encodeURIComponent(page_)}`);
    await look(page, "not-seen");
}

async function main() {
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
        args: ["--no-sandbox", `--proxy-pac-url=${pac}`] });
    await byPassword(browser);
    await withoutAWord(browser);
    await bySession(browser);
    await ofTheGate(browser);
    await browser.close();
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
