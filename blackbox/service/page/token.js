// The token of a service that wants one: asked for in a dialog, kept in this tab's session and nowhere else.

const KEY = "blackbox-token";
let asking = null;

export function token() {
  return sessionStorage.getItem(KEY);
}

export function forgetToken() {
  sessionStorage.removeItem(KEY);
  showWhetherKnown();
}

/** Ask for a token, unless another one than the one refused is known by now. One dialog for all who wait. */
export function askForToken(refused, reason) {
  if (token() !== refused) return Promise.resolve();
  asking ??= inDialog(refused ? reason : "").finally(() => (asking = null));
  return asking;
}

/** The button that forgets it is there where there is one. */
export function showWhetherKnown() {
  document.getElementById("sign-out").hidden = !token();
}

function inDialog(reason) {
  const dialog = document.getElementById("token-dialog");
  const field = document.getElementById("token");
  document.getElementById("token-reason").textContent = reason;
  field.value = "";
  dialog.oncancel = (event) => event.preventDefault(); // there is nothing to see without a token
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(keep(field)), { once: true });
  });
}

function keep(field) {
  sessionStorage.setItem(KEY, field.value.trim());
  field.value = "";
  showWhetherKnown();
}
