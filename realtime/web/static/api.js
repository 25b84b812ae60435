// Asking the server. Errors carry the server's own words; `status` 0 means that it is gone.

const TOKEN = "scrim-token";

export class ApiError extends Error {
  constructor(status, message, hint = "") {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

export function keepToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

export async function ask(method, path, { json, sdp, keepalive } = {}) {
  const headers = {};
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (sdp !== undefined) headers["Content-Type"] = "application/sdp";
  const body = json !== undefined ? JSON.stringify(json) : sdp;
  let response;
  try {
    response = await fetch(path, { method, headers, body, keepalive });
  } catch {
    throw new ApiError(0, "the server does not answer");
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

export async function askJson(method, path, json) {
  return (await ask(method, path, { json })).json();
}

async function errorOf(response) {
  const said = await response.json().catch(() => ({}));
  return new ApiError(response.status, said.error ?? response.statusText, said.hint);
}
