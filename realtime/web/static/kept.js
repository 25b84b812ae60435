// What this browser keeps for the next time. Where it may keep nothing, or what it kept makes no
// sense, the page does without.

export function recall(key, usual) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? usual;
  } catch {
    return usual;
  }
}

export function keep(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // for this time only
  }
}
