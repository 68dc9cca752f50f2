/* Passkeys: the browser's own dialog between two requests. */
"use strict";
(() => {
  const UNKNOWN = "This browser cannot use passkeys here. They need https, or the name localhost.";

  async function post(address, body, token) {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    if (token) headers["X-CSRF-Token"] = token;
    const answer = await fetch(address, { method: "POST", headers, body: body ? JSON.stringify(body) : "{}" });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.detail || "That did not work. Try again.");
    return told;
  }

  async function create(form) {
    const token = form.elements.csrf_token.value;
    const options = PublicKeyCredential.parseCreationOptionsFromJSON(await post("/account/passkeys/options", null, token));
    const made = await navigator.credentials.create({ publicKey: options });
    return post("/account/passkeys", { name: form.elements.name.value, credential: made.toJSON() }, token);
  }

  async function signIn(form) {
    const options = PublicKeyCredential.parseRequestOptionsFromJSON(await post("/login/passkey/options"));
    const signed = await navigator.credentials.get({ publicKey: options });
    return post("/login/passkey", { next: form.elements.next.value, credential: signed.toJSON() });
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.passkey) return;
    event.preventDefault();
    const said = form.querySelector("[role=alert]");
    said.textContent = "";
    try {
      if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) throw new Error(UNKNOWN);
      const told = await (form.dataset.passkey === "new" ? create(form) : signIn(form));
      location.assign(told.go);
    } catch (error) {
      const words = { NotAllowedError: "No passkey was used.", InvalidStateError: "This device has a passkey here already.", SecurityError: UNKNOWN };
      said.textContent = words[error.name] || error.message;
    }
  });
})();
