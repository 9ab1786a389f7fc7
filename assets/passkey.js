// SPDX-License-Identifier: GPL-3.0-or-later
// Passkeys: asks the browser, and sends what it answers as a field of the form. Forms with
// data-passkey stay hidden where a browser has none.
"use strict";
(function () {
  if (!window.PublicKeyCredential) {
    return;
  }

  function bytesOf(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (c) { return c.charCodeAt(0); });
  }

  function textOf(buffer) {
    var plain = Array.from(new Uint8Array(buffer), function (b) { return String.fromCharCode(b); });
    return btoa(plain.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function known(form) {
    return (form.dataset.ids || "").split(" ").filter(Boolean).map(function (id) {
      return { type: "public-key", id: bytesOf(id) };
    });
  }

  function ask(form) {
    if (form.dataset.passkey === "get") {
      return navigator.credentials.get({ publicKey: {
        challenge: bytesOf(form.dataset.challenge),
        allowCredentials: known(form),
        userVerification: "preferred"
      } });
    }
    return navigator.credentials.create({ publicKey: {
      challenge: bytesOf(form.dataset.challenge),
      rp: { name: "Lodge" },
      user: { id: bytesOf(form.dataset.user), name: form.dataset.name, displayName: form.dataset.name },
      pubKeyCredParams: [-7, -8, -257].map(function (alg) { return { type: "public-key", alg: alg }; }),
      excludeCredentials: known(form),
      authenticatorSelection: { residentKey: "discouraged", userVerification: "preferred" },
      attestation: "none"
    } });
  }

  function answerOf(credential) {
    var response = credential.response;
    var answer = { id: textOf(credential.rawId), client: textOf(response.clientDataJSON) };
    if (response.attestationObject) {
      answer.attestation = textOf(response.attestationObject);
    } else {
      answer.data = textOf(response.authenticatorData);
      answer.signature = textOf(response.signature);
    }
    return JSON.stringify(answer);
  }

  document.querySelectorAll("form[data-passkey]").forEach(function (form) {
    var fault = form.querySelector("[data-passkey-fault]");
    form.hidden = false;
    form.addEventListener("submit", function (event) {
      if (form.elements.answer.value) {
        return;
      }
      event.preventDefault();
      fault.hidden = true;
      ask(form).then(function (credential) {
        form.elements.answer.value = answerOf(credential);
        form.submit();
      }).catch(function () {
        fault.textContent = "The passkey did not answer. Try again, or use another second factor.";
        fault.hidden = false;
      });
    });
  });
})();
