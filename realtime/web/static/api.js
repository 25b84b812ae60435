// Asking the server. Errors carry the server's own words; `status` 0 means that it is gone.
// A token is exchanged for a cookie that no script can read.

// Asked again soon, or said to be gone: a server that sleeps answers nothing for minutes.
const PATIENCE_MS = 10_000;

class ApiError extends Error {
  constructor(status, message, hint = "") {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

const gone = () => new ApiError(0, "the server does not answer");

export async function ask(method, path, { json, body, type, keepalive, signal } = {}) {
  const headers = {};
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (type !== undefined) headers["Content-Type"] = type;
  let response;
  if (["GET", "OPTIONS"].includes(method)) signal ??= AbortSignal.timeout(PATIENCE_MS);
  try {
    const sent = json !== undefined ? JSON.stringify(json) : body;
    response = await fetch(path, { method, headers, body: sent, keepalive, signal });
  } catch {
    throw gone();
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

export async function askJson(method, path, json) {
  const response = await ask(method, path, { json });
  return response.json().catch(() => {
    throw gone(); // in the midst of its answer
  });
}

// What is gone already is gone.
export async function forget(path) {
  try {
    await ask("DELETE", path);
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}

export function logIn(token) {
  return ask("POST", "/api/v1/login", { json: { token } });
}

export function sentence({ message, hint }) {
  const parts = [message, hint].filter(Boolean).map((part) => part[0].toUpperCase() + part.slice(1));
  return parts.map((part) => (part.endsWith("?") ? part : `${part}.`)).join(" ");
}

async function errorOf(response) {
  const said = await response.json().catch(() => ({}));
  return new ApiError(response.status, said.error ?? response.statusText, said.hint);
}
