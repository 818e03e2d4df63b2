// Requests to the service: with the token that this tab has, and errors as the service tells them.

import { askForToken, token } from "./token.js";

/** An answer that is an error: one line for people, the part of the request that is wrong, and the status. */
export class ApiError extends Error {
  constructor(message, { status = 0, param = null } = {}) {
    super(message);
    this.status = status;
    this.param = param;
  }
}

/** The JSON that the service answers with. Asks for a token where one is wanted, then again. */
export async function ask(path, { method = "GET", body, headers = {}, signal } = {}) {
  const isForm = body instanceof FormData;
  const sent = body === undefined || isForm ? body : JSON.stringify(body);
  const kind = body === undefined || isForm ? {} : { "content-type": "application/json" };
  const answer = await send(path, { method, body: sent, headers: { ...kind, ...headers }, signal });
  return answer.json();
}

/** Any answer of the service that is no error. */
export async function send(path, { headers = {}, ...options } = {}) {
  for (;;) {
    const used = token();
    const sent = used ? { ...headers, authorization: `Bearer ${used}` } : headers;
    const answer = await reached(path, { ...options, headers: sent, credentials: "omit", cache: "no-store" });
    if (answer.ok) return answer;
    const error = await errorOf(answer);
    if (error.status !== 401) throw error;
    await askForToken(used, error.message);
  }
}

async function reached(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("the service does not answer; is it running?");
  }
}

async function errorOf(answer) {
  try {
    const { error } = await answer.json();
    return new ApiError(error.message, { status: answer.status, param: error.param ?? named(error.message) });
  } catch {
    return new ApiError(`the service answered ${answer.status}`, { status: answer.status });
  }
}

// Errors of settings name the setting in their text: "setting 'sigma': ...", "template must have ...".
function named(message) {
  const setting = /^setting '(\w+)'/.exec(message) ?? /^(template|label_words)\b/.exec(message);
  return setting ? `settings.${setting[1]}` : null;
}

/** The path of a job, or of something that it has. */
export function jobPath(id, ...parts) {
  return ["v1/tuning/jobs", encodeURIComponent(id), ...parts].join("/");
}

/** Hand in rows; the file's description. */
export function upload(name, content) {
  const form = new FormData();
  form.append("purpose", "task-data");
  form.append("file", content, name);
  return ask("v1/files", { method: "POST", body: form });
}

/** Save what a path answers with: a link could not send the token. */
export async function download(path, name) {
  const answer = await send(path);
  const address = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** A key under which the same request may be sent twice without being done twice. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
