// Which files are taken; the server looks at their content.

export const TYPES = ["image/jpeg", "image/png", "image/webp"];
const MOST_MB = 32; // the server's limit: it hangs up on a larger one, which looks as if it were gone

// Why a file is not taken; empty where it is.
export function complaintOf({ name, type, size }) {
  if (!TYPES.includes(type)) return `${name} is no JPEG, PNG or WebP`;
  return size > MOST_MB * 2 ** 20 ? `${name} is larger than ${MOST_MB} MB` : "";
}
