"use strict";

// What is shown is what the address says: #device=cpu&outcome=fail,error&q=text&cell=<id>.
const KEYS = ["device", "path", "outcome", "q", "compare", "cell"];

function parse(hash) {
  const found = {};
  for (const part of hash.replace(/^#/, "").split("&")) {
    const [key, ...rest] = part.split("=");
    if (KEYS.includes(key) && rest.length) found[key] = decoded(rest.join("="));
  }
  return found;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function address(state) {
  const parts = KEYS.filter((key) => state[key]).map((key) => {
    const value = encodeURIComponent(state[key]);
    return `${key}=${value.replace(/%(5B|5D|40|3A|2C|2F)/g, decodeURIComponent)}`;
  });
  return `#${parts.join("&")}`;
}

let state = parse(location.hash);

/** Change what is shown; the browser's Back button undoes it, but for a text while it is typed. */
function go(changes, { replace = false } = {}) {
  const chosen = Object.entries({ ...state, ...changes }).filter(([, value]) => value);
  state = Object.fromEntries(chosen);
  const url = address(state);
  if (replace) history.replaceState(null, "", url);
  else if (url !== location.hash) history.pushState(null, "", url);
  render();
}

addEventListener("popstate", () => {
  // Links within the page, such as #legend, say nothing of what is shown.
  if (location.hash && !location.hash.includes("=")) return;
  state = parse(location.hash);
  render();
});
