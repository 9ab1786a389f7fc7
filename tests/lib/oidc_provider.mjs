// SPDX-License-Identifier: GPL-3.0-or-later
// A provider of single sign-on for tests: npm's oidc-provider behind TLS on loopback.
//
//     node oidc_provider.mjs MODULES CERT KEY CLIENT_ID CLIENT_SECRET REDIRECT PEOPLE
//
// PEOPLE is JSON: {"login": {claims}}. Its own small pages take a login without a password. Prints its
// issuer, on one line, once it listens; ends with its standard input.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, cert, key, clientId, clientSecret, redirect, peopleText] = process.argv.slice(2);
const people = JSON.parse(peopleText);
const { Provider } = await import(
  pathToFileURL(path.join(modules, 'oidc-provider', 'lib', 'index.js')).href);

const server = https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
const issuer = `https://localhost:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: clientId, client_secret: clientSecret, redirect_uris: [redirect],
    grant_types: ['authorization_code'], response_types: ['code'],
  }],
  cookies: { keys: ['for tests alone'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false } },
  interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
  async findAccount(context, id) {
    return people[id] && { accountId: id, async claims() { return { sub: id, ...people[id] }; } };
  },
});

async function interact(request, response) {
  const details = await provider.interactionDetails(request, response);
  if (details.prompt.name === 'login') {
    const login = new URL(request.url, issuer).searchParams.get('login');
    if (!people[login]) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(`<!doctype html><html lang="en"><title>Provider</title><h1>Who are you?</h1>
        <form><label>Login <input name="login"></label> <button>Go on</button></form>`);
      return;
    }
    await provider.interactionFinished(request, response, { login: { accountId: login } });
    return;
  }
  const grant = new provider.Grant({
    accountId: details.session.accountId, clientId: details.params.client_id });
  grant.addOIDCScope('openid email profile');
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

const callback = provider.callback();
server.on('request', (request, response) => {
  if (request.url.startsWith('/interaction/')) {
    interact(request, response).catch((error) => {
      response.writeHead(500).end(String(error));
    });
  } else {
    callback(request, response);
  }
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
console.log(issuer);
