"use strict";

// What is shown is what the address says: #device=cpu&outcome=fail,error&q=text&cell=<id>.
// `open` lists what was unfolded, or folded, by hand; `at` is the section that somebody went to.
const KEYS = ["device", "subject", "path", "outcome", "only", "q", "compare", "open", "cell", "at"];

function parse(hash) {
  const text = hash.replace(/^#/, "");
  if (text && !text.includes("=")) return { at: decoded(text) };
  const found = {};
  for (const part of text.split("&")) {
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

function isToggled(name) {
  return (state.open ?? "").split(",").includes(name);
}

/** Note that something was unfolded, or folded, by hand, or undo that. */
function toggle(name) {
  const names = (state.open ?? "").split(",").filter(Boolean);
  const others = names.filter((each) => each !== name);
  go({ open: (others.length < names.length ? others : [...names, name]).join(",") }, { replace: true });
}

addEventListener("popstate", () => {
  state = parse(location.hash);
  render();
});

/** A link within the page adds to what is shown: none of it is lost. */
addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { at, ...others } = parse(link.getAttribute("href"));
  go(at ? { ...others, at } : others);
  if (at) show(at);
});

/** Go to a section, and let the keyboard go on from there. */
function show(id) {
  const section = document.getElementById(id);
  section?.scrollIntoView();
  section?.focus({ preventScroll: true });
}
